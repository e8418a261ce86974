// Reviewers decide in the browser's ways, every three seconds each; programs push records at a fixed rate; a run goes on.
import { check, fail, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter } from "k6/metrics";

const { TIEOUT_URL: site, TIEOUT_API_URL: door, LOAD_PASSWORD: password, LOAD_TOKEN: token, LOAD_SOURCE: source, LOAD_DATE: date, LOAD_KEYS: keys } = __ENV;
const SECONDS = Number(__ENV.LOAD_SECONDS), REVIEWERS = Number(__ENV.LOAD_REVIEWERS), RATE = Number(__ENV.LOAD_RATE);
const RECORDS = 100, PACE = 3;
const BY_PAGES = 10, LIST = 20; // one of ten reviewers goes page by page; beside the list a page of it is opened every twenty decisions
const breaks = JSON.parse(open(__ENV.LOAD_BREAKS)), runs = JSON.parse(__ENV.LOAD_RUNS);
const LISTS = ["dashboard", "queue", "preview", "break", "search", "journey", "runs", "run", "rest breaks", "rest break", "rest summary"];

export const options = {
  noCookiesReset: true,
  setupTimeout: "5m",
  scenarios: {
    reviewers: { executor: "constant-vus", exec: "reviewer", vus: REVIEWERS, duration: `${SECONDS}s`, gracefulStop: "30s" },
    programs: {
      executor: "constant-arrival-rate", exec: "push", rate: RATE, timeUnit: "1s", duration: `${SECONDS}s`,
      preAllocatedVUs: 2 * RATE, maxVUs: 8 * RATE, gracefulStop: "30s",
    },
  },
  thresholds: {
    http_req_failed: ["rate==0"],
    checks: ["rate==1"],
    dropped_iterations: ["count==0"],
    "http_req_duration{page:decision}": ["p(95)<150"],
    "http_req_duration{page:push}": ["p(95)<500"],
    ...Object.fromEntries(LISTS.map((page) => [`http_req_duration{page:${page}}`, ["p(95)<200"]])),
  },
  summaryTrendStats: ["med", "p(95)", "p(99)", "max", "count"],
};

const putOff = new Counter("decisions_put_off");
const named = (page) => ({ tags: { page, name: page } });

// Hashing a password costs a core a third of a second, so everybody is signed in before the clock starts.
function signIn(_, at) {
  const jar = new http.CookieJar();
  const page = http.get(`${site}/sign-in/`, { jar, ...named("sign-in") });
  const fields = { username: `reviewer_${String(at + 1).padStart(2, "0")}`, password };
  const answer = page.submitForm({ fields, params: { jar, ...named("sign-in") } });
  if (answer.status !== 200 || answer.url.includes("sign-in")) fail(`Signing in gave ${answer.status}.`);
  return jar.cookiesForURL(site).sessionid[0];
}

// Each thread of the web is slow at the first requests of its life; these reach all of them.
export function setup() {
  http.batch(Array.from({ length: 24 }, (_, at) => request(`w${at}`, "warm-up"))).forEach(accepted);
  const sessions = Array.from({ length: REVIEWERS }, signIn);
  http.cookieJar().set(site, "sessionid", sessions[0]);
  for (const path of ["/", "/queue/", `/breaks/${breaks[0].id}/`]) {
    http.batch(Array.from({ length: 12 }, () => ["GET", site + path, null, named("warm-up")]));
  }
  return { sessions };
}

function read(path, page) {
  const answer = http.get(site + path, named(page));
  check(answer, { [`${page} is shown`]: (it) => it.status === 200 && it.body.includes("</html>") });
  return answer;
}

function ask(path, page) {
  const headers = { Authorization: `Token ${token}` };
  check(http.get(`${site}/api/v1/${path}`, { headers, ...named(page) }), { [`${page} is told`]: (it) => it.status === 200 });
}

const between = (text, before, after) => text.split(before, 2)[1]?.split(after, 1)[0];

// What the forms of a break's page or preview hold beside what a person says; read without a parser, which would cost as much as the page.
function decide(brk, shown, headers = {}) {
  const fields = { csrfmiddlewaretoken: between(shown.body, 'name="csrfmiddlewaretoken" value="', '"'), action: brk.action, comment: "load" };
  const fingerprint = between(shown.body, 'name="fingerprint" value="', '"');
  if (fingerprint) fields.fingerprint = fingerprint;
  const post = () => http.post(`${site}/breaks/${brk.id}/decide/`, fields, { redirects: 0, headers, ...named("decision") });
  return persistent(post, () => read(`/breaks/${brk.id}/`, "break"));
}

// A run that is storing the record's type puts a decision off: who is told so decides again a little later.
function persistent(post, look) {
  for (let tries = 0; ; tries++) {
    const answer = post();
    const told = answer.status === 302 ? look() : answer;
    if (!told.body.includes("try again when the run has ended") || tries === 20) return answer;
    putOff.add(1);
    sleep(5);
  }
}

// By keyboard: the selected row stands beside the list, is decided there, and the next one is selected.
function beside(brk) {
  const headers = { "HX-Request": "true", "HX-Target": "preview", "HX-Current-URL": `${site}/queue/` };
  const shown = http.get(`${site}/breaks/${brk.id}/preview/`, { headers, ...named("preview") });
  check(shown, { "preview is shown": (it) => it.status === 200 && it.body.includes("What the gate said") });
  const decided = decide(brk, shown, headers);
  const state = brk.action === "approve" ? "approved" : "rejected";
  check(decided, { "a decision is taken": (it) => it.status === 200 && it.body.includes(`data-state="${state}"`) });
}

// Page by page: the queue, the break, the decision, and another page after it.
function byPages(brk, run, glance) {
  read("/queue/", "queue");
  const decided = decide(brk, read(`/breaks/${brk.id}/`, "break"));
  check(decided, { "a decision is taken": (it) => it.status === 302 });
  glance(brk, run);
}

// What else a reviewer opens, one after each decision.
const glances = [
  (brk) => read("/", "dashboard"),
  (brk) => read(`/journey/?reconciliation=${brk.reconciliation}&key=${brk.key}`, "journey"),
  (brk) => read("/runs/", "runs"),
  (brk, run) => read(`/runs/${run}/`, "run"),
  (brk) => read(`/search/?list=1&key=${brk.key.slice(0, -2)}`, "search"),
  (brk) => ask(`breaks?state=review&reconciliation=${brk.reconciliation}`, "rest breaks"),
  (brk) => ask(`breaks/${brk.id}`, "rest break"),
  (brk, run) => ask(`runs/${run}/summary`, "rest summary"),
];
let signedIn = false, pages = 0;

export function reviewer({ sessions }) {
  if (!signedIn) {
    http.cookieJar().set(site, "sessionid", sessions[exec.vu.idInTest % REVIEWERS]);
    signedIn = true;
    sleep(PACE * Math.random()); // people do not act in step
  }
  const began = Date.now(), place = exec.scenario.iterationInTest;
  if (place >= breaks.length) fail("There are not enough breaks for this load.");
  const brk = breaks[place];
  if (exec.vu.idInTest % BY_PAGES === 0) byPages(brk, runs[place % runs.length], glances[(exec.vu.idInTest + pages++) % glances.length]);
  else {
    if (exec.vu.iterationInScenario % LIST === 0) read("/queue/", "queue");
    beside(brk);
  }
  sleep(Math.max(0, PACE - (Date.now() - began) / 1000));
}

const rest = '","day":"2026-11-20","settles":"2026-11-24","party":"Party number 7","country":"GB","trader":"t7",' +
  '"book":"SPOT","side":"BUY","currency":"EUR","amount":"1234.56","rate":"1.100000","note":"pushed"}';
const hundred = Array.from({ length: RECORDS }, (_, at) => `{"id":"P#-${at}${rest}\n`).join("");
const request = (number, page) => [
  "POST", `${door}/api/v1/sources/${source}/records?date=${date}`, hundred.replaceAll("#", number),
  {
    headers: {
      Authorization: `Token ${token}`, "Content-Type": "application/x-ndjson", "Idempotency-Key": `${keys}-${number}`,
    },
    ...named(page),
  },
];
const accepted = (answer) => check(answer, { "a push is accepted": (it) => it.status === 202 });

export function push() {
  accepted(http.request(...request(exec.scenario.iterationInTest, "push")));
}

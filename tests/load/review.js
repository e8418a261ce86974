// Reviewers read the queue and break pages and decide in the browser; a program decides by REST and reads the summary.
import { check, fail, sleep } from "k6";
import exec from "k6/execution";
import http from "k6/http";

const { TIEOUT_URL: site, LOAD_PASSWORD: password, LOAD_TOKEN: token, LOAD_RUN: run } = __ENV;
const breaks = JSON.parse(open(__ENV.LOAD_BREAKS));
const seconds = 20;
const REVIEWERS = 4;
const scenario = (exec, vus, startTime) => ({
  executor: "constant-vus", exec, vus, duration: `${seconds}s`, startTime, gracefulStop: "5s",
});

export const options = {
  noCookiesReset: true,
  scenarios: { reviewers: scenario("reviewer", REVIEWERS), programs: scenario("program", 2) },
  thresholds: {
    http_req_failed: ["rate==0"],
    checks: ["rate==1"],
    "http_req_duration{page:queue}": ["p(95)<150"],
    "http_req_duration{page:break}": ["p(95)<150"],
    "http_req_duration{page:decision}": ["p(95)<150"],
    "http_req_duration{page:rest decision}": ["p(95)<150"],
    "http_req_duration{page:summary}": ["p(95)<150"],
    "http_req_duration{page:dashboard}": ["p(95)<150"],
    "http_req_duration{page:journey}": ["p(95)<150"],
    "http_req_duration{page:runs}": ["p(95)<150"],
    "http_req_duration{page:run}": ["p(95)<150"],
  },
};

// People do not act in step: half a second to two and a half.
const think = () => sleep(0.5 + 2 * Math.random());

// Signing in costs a core a third of a second for the password's hash, so everybody is signed in before the clock starts.
function signIn() {
  const jar = new http.CookieJar();
  const page = http.get(`${site}/sign-in/`, { jar, tags: { page: "sign-in" } });
  const answer = page.submitForm({
    fields: { username: "supervisor", password }, params: { jar, tags: { page: "sign-in" } },
  });
  if (answer.status !== 200 || answer.url.includes("sign-in")) fail(`Signing in gave ${answer.status}.`);
  return jar.cookiesForURL(site).sessionid[0];
}

function read(path, page) {
  const answer = http.get(`${site}${path}`, { tags: { page, name: page } });
  check(answer, { [`${page} is shown`]: (it) => it.status === 200 && it.body.includes("</html>") });
  return answer;
}

// Each break is decided once: reviewers take those with even places in the list, programs the odd ones.
function next(offset) {
  const place = 2 * exec.scenario.iterationInTest + offset;
  if (place >= breaks.length) fail("There are not enough breaks for this load.");
  return breaks[place];
}

// Each web process is slow at the first decision of its life; eight of them reach both.
export function setup() {
  const headers = { Authorization: `Token ${token}`, "Content-Type": "application/json" };
  for (const brk of breaks.slice(-8)) {
    const decided = http.post(
      `${site}/api/v1/breaks/${brk.id}/decisions`, JSON.stringify({ action: "reject", comment: "load" }),
      { headers: { ...headers, "Idempotency-Key": `load-${brk.id}` }, tags: { page: "warm-up", name: "warm-up" } },
    );
    check(decided, { "a warm-up decision is taken": (it) => it.status === 201 });
    http.get(`${site}/api/v1/runs/${run}/summary`, { headers, tags: { page: "warm-up", name: "warm-up" } });
  }
  return { sessions: Array.from({ length: REVIEWERS }, signIn) };
}

let signedIn = false;

export function reviewer({ sessions }) {
  if (!signedIn) {
    http.cookieJar().set(site, "sessionid", sessions[exec.vu.idInTest % REVIEWERS]);
    signedIn = true;
    think();
  }
  read("/", "dashboard");
  read("/queue/", "queue");
  const brk = next(0);
  const shown = read(`/breaks/${brk.id}/`, "break");
  think();
  const form = shown.html().find("form[action$='/decide/']").first();
  const fields = { csrfmiddlewaretoken: form.find("[name=csrfmiddlewaretoken]").val(), action: "reject", comment: "load" };
  const fingerprint = form.find("[name=fingerprint]").val();
  if (fingerprint) fields.fingerprint = fingerprint;
  const decided = http.post(`${site}/breaks/${brk.id}/decide/`, fields, {
    redirects: 0, tags: { page: "decision", name: "decision" },
  });
  check(decided, { "a decision is taken": (it) => it.status === 302 || it.status === 200 });
  read(`/journey/?reconciliation=${brk.reconciliation}&key=${brk.key}`, "journey");
  read("/runs/", "runs");
  read(`/runs/${run}/`, "run");
  think();
}

export function program() {
  const headers = { Authorization: `Token ${token}`, "Content-Type": "application/json" };
  const brk = next(1);
  const decided = http.post(
    `${site}/api/v1/breaks/${brk.id}/decisions`, JSON.stringify({ action: "reject", comment: "load" }),
    { headers: { ...headers, "Idempotency-Key": `load-${brk.id}` }, tags: { page: "rest decision", name: "rest decision" } },
  );
  check(decided, { "a REST decision is taken": (it) => it.status === 201 });
  const told = http.get(`${site}/api/v1/runs/${run}/summary`, { headers, tags: { page: "summary", name: "summary" } });
  check(told, { "the summary is told": (it) => it.status === 200 });
  think();
}

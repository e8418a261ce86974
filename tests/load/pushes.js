// Programs push records at a fixed rate while a reconciliation runs.
import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";

const { TIEOUT_URL: site, LOAD_TOKEN: token, LOAD_SOURCE: source, LOAD_DATE: date } = __ENV;
const RATE = 200, RECORDS = 100, SECONDS = 20;

export const options = {
  discardResponseBodies: true,
  scenarios: {
    programs: {
      executor: "constant-arrival-rate", rate: RATE, timeUnit: "1s", duration: `${SECONDS}s`,
      preAllocatedVUs: 200, maxVUs: 400, gracefulStop: "10s",
    },
  },
  thresholds: {
    http_req_failed: ["rate==0"],
    checks: ["rate==1"],
    "http_req_duration{page:push}": ["p(99)<500"],
    dropped_iterations: ["count==0"],
  },
  summaryTrendStats: ["min", "med", "p(95)", "p(99)", "max"],
};

const rest = '","day":"2026-11-20","settles":"2026-11-24","party":"Party number 7","country":"GB","trader":"t7",' +
  '"book":"SPOT","side":"BUY","currency":"EUR","amount":"1234.56","rate":"1.100000","note":"pushed"}';

const hundred = Array.from({ length: RECORDS }, (_, at) => `{"id":"P#-${at}${rest}\n`).join("");

const request = (number, page) => [
  "POST", `${site}/api/v1/sources/${source}/records?date=${date}`, hundred.replaceAll("#", number),
  {
    headers: {
      Authorization: `Token ${token}`, "Content-Type": "application/x-ndjson", "Idempotency-Key": `push-${number}`,
    },
    tags: { page, name: page },
  },
];
const accepted = (answer) => check(answer, { "a push is accepted": (it) => it.status === 202 });

// Each thread of the web is slow at the first request of its life; these reach all of them, and count as records too.
export function setup() {
  http.batch(Array.from({ length: 24 }, (_, at) => request(`w${at}`, "warm-up"))).forEach(accepted);
}

export default function push() {
  accepted(http.request(...request(exec.scenario.iterationInTest, "push")));
}

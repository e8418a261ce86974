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
    http_req_duration: ["p(99)<500"],
    dropped_iterations: ["count==0"],
  },
  summaryTrendStats: ["min", "med", "p(95)", "p(99)", "max"],
};

const rest = '","day":"2026-11-20","settles":"2026-11-24","party":"Party number 7","country":"GB","trader":"t7",' +
  '"book":"SPOT","side":"BUY","currency":"EUR","amount":"1234.56","rate":"1.100000","note":"pushed"}';

export default function push() {
  const number = exec.scenario.iterationInTest;
  let body = "";
  for (let at = 0; at < RECORDS; at++) body += `{"id":"P${number}-${at}${rest}\n`;
  const answer = http.post(`${site}/api/v1/sources/${source}/records?date=${date}`, body, {
    headers: {
      Authorization: `Token ${token}`, "Content-Type": "application/x-ndjson", "Idempotency-Key": `push-${number}`,
    },
  });
  check(answer, { "a push is accepted": (it) => it.status === 202 });
}

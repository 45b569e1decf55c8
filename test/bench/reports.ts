/**
 * `npm run bench -- reports`: what each format costs for 5,000 findings, against `JSON.stringify` of the report in the same run, and how
 * that grows from 500. Ends with 1 when a ratio is over its goal.
 */
import type { Report } from "#engine";
import { reporters } from "../../reports/index.ts";
import { manyFaults, OPTIONS } from "../reports/many.ts";

const GOALS: Readonly<Record<string, number>> = { junit: 15, html: 8 };
const OTHERS = 4;
/** Ten times the findings may cost twelve times as much: short runs are dear in part. */
const GROWTH = 12;
const ROUNDS = 15;

const large = manyFaults(5_000);
const small = manyFaults(500);
let over = 0;
for (const name of Object.keys(reporters)) {
  const reporter = await reporters[name]?.();
  if (reporter === undefined) continue;
  const render = async (report: Report) => void (await reporter.render(report, OPTIONS));
  // Whatever else the machine does hits all three.
  for (let round = 0; round < 3; round++) for (const report of [small, large]) await render(report);
  const floors: number[] = [], costs: number[] = [], smalls: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await cpu(async () => void JSON.stringify(large)));
    costs.push(await cpu(() => render(large)));
    smalls.push(await cpu(() => render(small)));
  }
  const [floor, cost, few] = [median(floors), median(costs), median(smalls)];
  const goal = GOALS[name] ?? OTHERS;
  const isOver = cost / floor > goal || cost / few > GROWTH;
  if (isOver) over++;
  process.stdout.write(`${isOver ? "OVER" : "ok  "}  ${name.padEnd(11)} ${(cost / floor).toFixed(1).padStart(5)} x JSON.stringify (goal ${goal}); 5,000 findings cost ${(cost / few).toFixed(1)} x 500\n`);
}
process.exitCode = over > 0 ? 1 : 0;

async function cpu(work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

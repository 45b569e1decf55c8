import { appendFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Adds to vitest's own output: why tests were skipped, each reason once with its count, and one plain line with the numbers,
 * which is also written to the file that `TEST_COUNTS` names.
 */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    // What fails outside of tests, the start of the clusters for one, must not look like a run in which nothing failed.
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const reasons = new Map<string, number>();
    for (const module of modules) {
      // A file that could not even be loaded has no tests that could fail.
      if (module.state() === "failed" && [...module.children.allTests("failed")].length === 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        counts[result.state === "pending" ? "skipped" : result.state]++;
        if (result.state === "skipped") add(reasons, result.note ?? "said so in its source");
      }
    }
    for (const [reason, count] of reasons) process.stdout.write(`skipped ${count}: ${reason}\n`);
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    process.stdout.write(`${line}\n`);
    const file = process.env["TEST_COUNTS"];
    if (file !== undefined) appendFileSync(file, `${line}\n`);
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

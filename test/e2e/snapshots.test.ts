import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { expect } from "vitest";
import type { Report } from "#engine";
import { openGate } from "../parts/gate.ts";
import { asReader, contexts, desk } from "./assert.ts";
import { onClusters } from "./ground.ts";

const NOW = ["--now", "2026-11-25T12:00:00Z"];

onClusters("collect, then run on the snapshots alone: the report of a live run, but for the time of the look", async ({ clusters: { eks, gke, aks } }) => {
  const { assert, run } = await desk({ contexts: asReader(eks, gke, aks) });
  const live = await run(...NOW, ...contexts("eks", "gke", "aks"));
  const collected = await assert("collect", "--out", "snapshots", ...contexts("eks", "gke", "aks"));
  expect([collected.code, live.code]).toEqual([0, 0]);

  const saved = await run("--snapshots", "snapshots", ...NOW);
  expect(saved.code).toBe(0);
  expect(timeless(saved.report)).toEqual(timeless(live.report));
  const again = await run("--snapshots", "snapshots", ...NOW);
  expect(again.stdout).toBe(saved.stdout);
});

onClusters("a snapshot with one byte changed: could not run, 3, the file named", async ({ clusters: { eks } }) => {
  const { assert, read, write, folder } = await desk({ contexts: asReader(eks) });
  await assert("collect", "--out", "snapshots", ...contexts("eks"));
  const [file = ""] = await readdir(path.join(folder, "snapshots"));
  const text = await read(`snapshots/${file}`);
  await write(`snapshots/${file}`, text.replace("1.29.6", "1.29.7"));

  const { code, stdout, stderr } = await assert("run", "--snapshots", "snapshots");
  expect([code, stdout]).toEqual([3, ""]);
  expect(stderr).toContain(file);
});

const INTERRUPTED: readonly { readonly claim: string; readonly words: readonly string[]; readonly written: string }[] = [
  { claim: "run", words: ["run", "-o", "json=report.json"], written: "report.json" },
  { claim: "collect", words: ["collect", "--out", "snapshots"], written: "snapshots" },
];

for (const { claim, words, written } of INTERRUPTED) {
  onClusters(`Ctrl-C in \`assert ${claim}\` while a cluster keeps it waiting: 130 at once, nothing written, nothing half printed`, async ({ clusters: { eks, gke } }) => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    // Lists of pods are never answered: only the interruption can end the command.
    const gate = await openGate(gke, async (asked) => {
      if (!asked.startsWith("/api/v1/pods")) return;
      arrived.resolve();
      await release.promise;
    });
    try {
      const { begin, folder } = await desk({ contexts: asReader(eks, gate.cluster) });
      const { ended, interrupt } = begin(...words, ...contexts("eks", "gke"));
      await arrived.promise;
      interrupt();
      const { code, stdout } = await ended;

      expect([code, stdout]).toEqual([130, ""]);
      expect(existsSync(path.join(folder, written))).toBe(false);
    } finally {
      release.resolve();
      await gate.close();
    }
  });
}

/** A report without what differs between two looks at the same state. */
function timeless(report: Report): unknown {
  return { ...report, clusters: report.clusters.map((cluster) => ({ ...cluster, takenAt: "" })) };
}

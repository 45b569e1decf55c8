import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/room.ts";
import { shell } from "./shell.ts";

const RULE = `
apiVersion: cloud-assert/v1
kind: ObjectsAgree
metadata: { name: strict }
spec: { select: { apiVersion: security.istio.io/v1, kind: PeerAuthentication } }
`;
const policy = (mode: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: mesh }
spec: { mtls: { mode: ${mode} } }
`;
const world = (expected: string, right = "STRICT") => ({
  "w/assertions.yaml": RULE,
  "w/clusters/a/p.yaml": policy("STRICT"),
  "w/clusters/b/p.yaml": policy(right),
  "w/expected.yaml": expected,
});

describe("assert test", { timeout: 60_000 }, () => {
  const rows: readonly (readonly [claim: string, files: Readonly<Record<string, string>>, code: number, says: string])[] = [
    ["passes where the verdict is the expected one", world("expect: { strict: { verdict: holds } }"), 0, "ok    w\n1 world: 1 as expected, 0 not\n"],
    ["passes where verdict and subjects are the expected ones", world("expect: { strict: { verdict: violated, subjects: [mesh/default] } }", "DISABLE"), 0, "ok    w\n1 world: 1 as expected, 0 not\n"],
    ["fails where the verdict is another one, and says what was found", world("expect: { strict: { verdict: holds } }", "DISABLE"), 1, "`strict`: holds was expected, and it is violated\n          `PeerAuthentication` `mesh/default` differs: `spec.mtls.mode` is `STRICT` in `a`, `DISABLE` in `b`"],
    ["fails where the subjects are others", world("expect: { strict: { verdict: violated, subjects: [mesh/other] } }", "DISABLE"), 1, "the subjects `mesh/other` were expected, and they are `mesh/default`"],
    ["fails where an assertion is expected that is not there", world("expect: { strict: { verdict: holds }, other: { verdict: holds } }"), 1, "`other` is expected, and `w/assertions.yaml` has no such assertion"],
    ["fails where nothing is expected of an assertion", { ...world("expect: { other: { verdict: holds } }") }, 1, "nothing is expected of it"],
    ["lets a kind be unseen", world("unseen: [PeerAuthentication]\nexpect: { strict: { verdict: undecided, subjects: [] } }"), 0, "ok    w"],
  ];
  for (const [claim, files, code, says] of rows) {
    it(claim, async () => {
      await using here = await shell(files);
      const ended = await here.assert("test", "w");
      expect([ended.code, ended.stderr]).toEqual([code, ""]);
      expect(ended.stdout).toContain(says);
    });
  }

  const refused: readonly (readonly [claim: string, words: readonly string[], files: Readonly<Record<string, string>>, says: string])[] = [
    ["no folder", [], {}, "error: missing required argument"],
    ["a folder without worlds", ["w"], { "w/x.yaml": "a: 1" }, "holds no `expected.yaml`"],
    ["an expectation that is none", ["w"], world("expect: { strict: { verdict: fine } }"), "`expect.strict` needs a `verdict`"],
    ["an unknown field", ["w"], world("expct: {}"), "unknown field `expct`"],
    ["assertions that cannot be read", ["w"], { ...world("expect: { strict: { verdict: holds } }"), "w/assertions.yaml": "kind: X" }, "apiVersion"],
  ];
  for (const [claim, words, files, says] of refused) {
    it(`refuses ${claim}, with 3`, async () => {
      await using here = await shell(files);
      const ended = await here.assert("test", ...words);
      expect([ended.code, ended.stdout]).toEqual([3, ""]);
      expect(ended.stderr).toContain(says.replace(/^error: /, ""));
    });
  }
});

describe("a hardware profile of one's own, written from the descriptions of its fields alone", () => {
  it("is judged as expected in worlds where it holds, is violated and is not decided", { timeout: 60_000 }, async () => {
    expect(readdirSync(join(root, "fixtures/profiles/quiet-signers")).toSorted()).toEqual(["holds", "quiet-signers.yaml", "undecided", "violated"]);
    await using here = await shell();
    const { code, stdout } = await here.assert("test", join(root, "fixtures/profiles"), "--quiet");
    expect([code, stdout]).toEqual([0, "3 worlds: 3 as expected, 0 not\n"]);
  });
});

describe("the library", () => {
  const files = readdirSync(join(root, "assertions/library")).map((name) => name.replace(/\.yaml$/, ""));

  it("says in each file which incident each assertion prevents, and says each in a few lines", async () => {
    for (const file of files) {
      const documents = (await readFile(join(root, `assertions/library/${file}.yaml`), "utf8")).split(/^---$/m);
      for (const document of documents) expect([file, document.trimStart().startsWith("# Prevents: "), document.trim().split("\n").length <= 20]).toEqual([file, true, true]);
    }
  });

  it("covers the ways in which managed meshes drift apart", () => {
    expect(files).toEqual(expect.arrayContaining(["proxies-as-injected", "release-channel", "redirection", "native-sidecars", "default-retries", "image-registries", "kubernetes-skew", "crd-versions", "gateway-api-crds", "supported-kubernetes", "live-revisions", "root-certificates", "cilium-socket-lb"]));
  });

  it("has for each file a world where it holds and one where it is violated, and no other", () => {
    const worlds = join(root, "fixtures/library");
    expect(readdirSync(worlds).toSorted()).toEqual(files.toSorted());
    for (const file of files) expect([file, readdirSync(join(worlds, file)).toSorted()]).toEqual([file, ["holds", "violated"]]);
  });

  it("does in every world what is expected of it", { timeout: 120_000 }, async () => {
    await using here = await shell();
    const { code, stdout } = await here.assert("test", join(root, "fixtures/library"), "--quiet");
    expect([code, stdout]).toEqual([0, `${files.length * 2} worlds: ${files.length * 2} as expected, 0 not\n`]);
  });
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { kindNames, newKind } from "../../tools/new.ts";
import { describeKind } from "../support/kind-contract.ts";
import { root } from "../support/room.ts";

// Below the root, so that `#engine` is found, and in the folder that Git and the type check ignore.
mkdirSync(join(root, ".cache"), { recursive: true });
const scratch = mkdtempSync(join(root, ".cache", "new-kind-"));
const room = join(scratch, "kinds");
mkdirSync(room);
const made = newKind("ImageParity", room);
afterAll(() => rmSync(scratch, { recursive: true }));

describe("npm run new kind", () => {
  const names: readonly (readonly [given: string, word: string, folder: string])[] = [
    ["ImageParity", "ImageParity", "image-parity"],
    ["image-parity", "ImageParity", "image-parity"],
    ["Quota2", "Quota2", "quota2"],
  ];
  for (const [given, word, folder] of names) {
    it(`takes \`${given}\` for the kind \`${word}\` in \`${folder}\``, () => expect(kindNames(given)).toEqual({ word, folder }));
  }

  for (const bad of ["", "Image Parity", "imageParity", "../evil", "image--parity", "-x", "x-", "2fast", "Image/Parity", "Bild-Größe", "x".repeat(61)]) {
    it(`refuses the name ${JSON.stringify(bad)}`, () => expect(() => kindNames(bad)).toThrow(/is no name for a kind; write it as `ImageParity`/));
  }

  it("refuses a name that is taken, and leaves what is there as it is", () => {
    const before = readFileSync(join(made, "kind.ts"), "utf8");
    expect(() => newKind("image-parity", room)).toThrow(/is there already/);
    expect(readFileSync(join(made, "kind.ts"), "utf8")).toBe(before);
  });

  it("leaves no draft behind and no word of the template", () => {
    expect(readdirSync(scratch)).toEqual(["kinds"]);
    const texts = readdirSync(made, { recursive: true, encoding: "utf8" }).filter((file) => /\.\w+$/.test(file) && existsSync(join(made, file)));
    for (const file of texts) expect([file, /template/i.test(readFileSync(join(made, file), "utf8"))]).toEqual([file, false]);
  });
});

describeKind(made);

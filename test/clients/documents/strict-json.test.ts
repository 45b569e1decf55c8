import { describe, expect, it } from "vitest";
import { parseStrictJson, strictBase64 } from "../../../clients/documents/strict-json.ts";

describe("JSON that all must read alike", () => {
  const parse = (text: string) => () => parseStrictJson(Buffer.from(text));
  const rows = [
    { text: '{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', says: undefined },
    { text: '{"a":"a","b":"a","c":["a","a"]}', says: undefined },
    { text: '{"a\\"":1,"a":2,"\\\\":3}', says: undefined },
    { text: '{"a":1,"a":2}', says: "names a field twice" },
    { text: '{"a":1,"\\u0061":2}', says: "names a field twice" },
    { text: '{"x":[{"a" :1, "b":"}", "a"\n:2}]}', says: "names a field twice" },
    { text: `${"[".repeat(65)}${"]".repeat(65)}`, says: "nested deeper than 64" },
    { text: `${"[".repeat(64)}${"]".repeat(64)}`, says: undefined },
    { text: "{'a':1}", says: "is no JSON" },
    { text: "", says: "is no JSON" },
  ];
  for (const { text, says } of rows) {
    it(`\`${text.slice(0, 40)}\` ${says ?? "is some"}`, () => {
      if (says === undefined) expect(parse(text)()).toEqual(JSON.parse(text));
      else expect(parse(text)).toThrow(says);
    });
  }
});

describe("base64", () => {
  for (const [text, bytes] of [["QQ==", "A"], ["QUI=", "AB"], ["QUJD", "ABC"], ["", ""]] as const) {
    it(`\`${text}\` is \`${bytes}\``, () => expect(strictBase64(text)?.toString()).toBe(bytes));
  }
  for (const text of ["QR==", "QUJ=", "QQ", "QQ=", "Q===", "QU-D", "QU_D", " QUJD", "QUJD\n", "QQ==QUJD", 7, undefined]) {
    it(`\`${String(text)}\` is none: another reader may take it for something else`, () => expect(strictBase64(text)).toBeUndefined());
  }
});

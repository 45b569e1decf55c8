import { setImmediate as soon } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { StateBytes } from "#engine";
import { stateTurns } from "../../cli/state-turns.ts";
import type { StatePlace } from "../../clients/states/index.ts";

const file = (name: string): StatePlace => ({ form: "state", file: name, shown: name });
const bytesOf = (name: string): StateBytes => ({ bytes: Buffer.from(name), locator: name, sha256: "" });

describe("the states of a fleet", () => {
  it("are read so many side by side as clusters are, and sixteen at most", async () => {
    for (const [concurrency, most] of [[3, 3], [256, 16]] as const) {
      const places = Array.from({ length: 50 }, (_, index) => file(`s${index}`));
      const turn = stateTurns(places, concurrency);
      let now = 0;
      let seen = 0;
      const states = await Promise.all(places.map((place, index) => turn(place, async () => {
        seen = Math.max(seen, (now += 1));
        await soon();
        now -= 1;
        return bytesOf(`s${index}`);
      })));
      expect(seen).toBe(most);
      expect(states.map(({ locator }) => locator)).toEqual(places.map((_, index) => `s${index}`));
    }
  });

  it("that several clusters name are read once; of those that fail each cluster learns by itself", async () => {
    const turn = stateTurns([file("a"), file("b"), file("a"), file("a")], 256);
    let times = 0;
    const read = () => Promise.resolve((times += 1)).then(() => bytesOf("a"));
    await Promise.all([turn(file("a"), read), turn(file("a"), read), turn(file("a"), read)]);
    expect(times).toBe(1);

    const again = stateTurns([file("a"), file("a")], 256);
    const first = again(file("a"), () => Promise.reject(new Error("its budget")));
    const second = again(file("a"), () => Promise.resolve(bytesOf("a")));
    await expect(first).rejects.toThrow("its budget");
    expect(await second).toEqual(bytesOf("a"));
  });

  it("in a Secret of the cluster itself are another one in each cluster", async () => {
    const secret: StatePlace = { form: "kubernetes", settings: { secret_suffix: "s" } };
    const turn = stateTurns([secret, secret], 256);
    const states = await Promise.all(["a", "b"].map((name) => turn(secret, () => Promise.resolve(bytesOf(name)))));
    expect(states.map(({ locator }) => locator)).toEqual(["a", "b"]);
  });
});

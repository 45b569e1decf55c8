import type { WasmBytes } from "#engine";

/**
 * Work that several clusters of a look may ask for, done once.
 *
 * Whoever comes second waits for the first. What fails is forgotten: the next one may have other credentials, or more time.
 */
export class Once<T> {
  readonly #known = new Map<string, Promise<T>>();

  async get(key: string, work: () => Promise<T>): Promise<T> {
    for (;;) {
      const known = this.#known.get(key);
      if (known === undefined) break;
      try {
        return await known;
      } catch {
        if (this.#known.get(key) === known) this.#known.delete(key);
      }
    }
    const mine = work();
    this.#known.set(key, mine);
    try {
      return await mine;
    } catch (error) {
      if (this.#known.get(key) === mine) this.#known.delete(key);
      throw error;
    }
  }
}

/** What all clusters of one look have in common, whatever they sign in with. */
export interface Shared {
  /** Digest of a tag, by origin, repository and tag: resolved once, so that nobody compares two moments. */
  readonly tags: Once<string>;
  /** What the bytes of a blob say, by digest and form: equal digests are equal bytes, wherever they are kept. */
  readonly blobs: Once<WasmBytes>;
}

export function newShared(): Shared {
  return { tags: new Once(), blobs: new Once() };
}

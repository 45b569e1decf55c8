import { mergedMask, type FieldMask, type KubeObject } from "#engine";

/** What a source may always show. */
const ALWAYS: FieldMask = { apiVersion: true, kind: true, metadata: { name: true, namespace: true, resourceVersion: true } };

/** An object that fails the test when somebody reads a field of it that the mask does not keep: a real source may have left it out. */
export function asked(item: KubeObject, fields: FieldMask): KubeObject {
  return watched(item, mergedMask(ALWAYS, fields), "");
}

function watched<T extends object>(target: T, mask: FieldMask, path: string): T {
  const entries = Array.isArray(target);
  const ruleOf = (key: string | symbol): true | FieldMask => {
    if (entries || typeof key === "symbol") return mask;
    if (!Object.hasOwn(mask, key)) throw new Error(`\`${path}${key}\` is read, but was not asked for`);
    return mask[key] ?? true;
  };
  return new Proxy(target, {
    get(_, key) {
      const rule = ruleOf(key);
      const value: unknown = Reflect.get(target, key);
      return rule === true || typeof value !== "object" || value === null ? value : watched(value, rule, entries ? path : `${path}${String(key)}.`);
    },
    has(_, key) {
      ruleOf(key);
      return Reflect.has(target, key);
    },
    getOwnPropertyDescriptor(_, key) {
      ruleOf(key);
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
    ownKeys() {
      if (!entries) throw new Error(`the fields of \`${path}\` are listed, but only some were asked for`);
      return Reflect.ownKeys(target);
    },
  });
}

/**
 * Sets of code points, and the named sets of RE2: Perl, POSIX and Unicode classes, and case folding.
 *
 * Unicode data comes from the JavaScript engine, by expressions that are written here: no text of a user is ever part of one.
 *
 * @module
 */

/** Sorted, disjoint, not adjacent: `[low, high, low, high, ...]`, both ends included. */
export type CodePoints = readonly number[];

/** The largest code point. */
export const LAST = 0x10ffff;

/** Every code point. */
export const ANY: CodePoints = [0, LAST];

/** The set of ranges in any order, merged. */
export function union(ranges: readonly number[]): CodePoints {
  const pairs: [number, number][] = [];
  for (let at = 0; at + 1 < ranges.length; at += 2) pairs.push([ranges[at] ?? 0, ranges[at + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const merged: number[] = [];
  let end = -2;
  for (const [low, high] of pairs) {
    if (low > end + 1) merged.push(low, high);
    else if (high > end) merged[merged.length - 1] = high;
    end = Math.max(end, high);
  }
  return merged;
}

/** All code points that are not in the set. */
export function complement(set: CodePoints): CodePoints {
  const rest: number[] = [];
  let next = 0;
  for (let at = 0; at < set.length; at += 2) {
    const low = set[at] ?? 0;
    if (low > next) rest.push(next, low - 1);
    next = (set[at + 1] ?? 0) + 1;
  }
  if (next <= LAST) rest.push(next, LAST);
  return rest;
}

/** Whether the set holds the point. */
export function has(set: CodePoints, point: number): boolean {
  for (let at = 0; at < set.length; at += 2) {
    if (point <= (set[at + 1] ?? -1)) return point >= (set[at] ?? 0);
  }
  return false;
}

const digits: CodePoints = [0x30, 0x39];
const spaces: CodePoints = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];
const words: CodePoints = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];

/** `\d \s \w`, by letter: ASCII, and `\s` without vertical tab. */
export const perlClasses: ReadonlyMap<string, CodePoints> = new Map([
  ["d", digits],
  ["s", spaces],
  ["w", words],
]);

/** `[:alpha:]` and its kin, by name. */
export const posixClasses: ReadonlyMap<string, CodePoints> = new Map<string, CodePoints>([
  ["alnum", [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ["alpha", [0x41, 0x5a, 0x61, 0x7a]],
  ["ascii", [0x00, 0x7f]],
  ["blank", [0x09, 0x09, 0x20, 0x20]],
  ["cntrl", [0x00, 0x1f, 0x7f, 0x7f]],
  ["digit", digits],
  ["graph", [0x21, 0x7e]],
  ["lower", [0x61, 0x7a]],
  ["print", [0x20, 0x7e]],
  ["punct", [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ["space", [0x09, 0x0d, 0x20, 0x20]],
  ["upper", [0x41, 0x5a]],
  ["word", words],
  ["xdigit", [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);

const categories =
  "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs".split(" ");

const scripts =
  `Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki Bopomofo Brahmi Braille
  Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot
  Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian
  Glagolitic Gothic Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana
  Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi
  Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam
  Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi
  Mongolian Mro Multani Myanmar Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki
  Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage
  Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada Shavian
  Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet
  Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi
  Zanabazar_Square`.split(/\s+/);

const cachedClasses = new Map<string, CodePoints>();

/** `\p{Name}`: a general category or a script, as RE2 names them; undefined for any other name. */
export function unicodeClass(name: string): CodePoints | undefined {
  if (name === "Any") return ANY;
  const known = cachedClasses.get(name);
  if (known !== undefined) return known;
  // INVARIANT: the expression is built from an entry of our own lists, never from the name that was asked for.
  const category = categories.find((entry) => entry === name);
  const script = scripts.find((entry) => entry === name);
  const property = category === undefined ? script && `Script=${script}` : `General_Category=${category}`;
  if (property === undefined) return undefined;
  // C holds what is assigned nowhere in JavaScript, but not in RE2: there it is Cc, Cf, Co and Cs.
  const set = name === "C" ? union(["Cc", "Cf", "Co", "Cs"].flatMap((part) => [...(unicodeClass(part) ?? [])])) : scan(property);
  cachedClasses.set(name, set);
  return set;
}

/** Where surrogates are left out of the string of all characters, and where its characters begin to take two units. */
const BEFORE_SURROGATES = 0xd800;
const AFTER_SURROGATES = 0xe000;
const SINGLE_UNITS = 0xf800;

let everyCharacter: string | undefined;

function scan(property: string): CodePoints {
  if (property === "General_Category=Cs") return [BEFORE_SURROGATES, AFTER_SURROGATES - 1];
  everyCharacter ??= allCharacters();
  const ranges: number[] = [];
  for (const run of everyCharacter.matchAll(new RegExp(`\\p{${property}}+`, "gu"))) {
    const low = pointAt(run.index);
    const high = pointAt(run.index + run[0].length - 1);
    if (low < BEFORE_SURROGATES && high >= AFTER_SURROGATES) ranges.push(low, BEFORE_SURROGATES - 1, AFTER_SURROGATES, high);
    else ranges.push(low, high);
  }
  return union(ranges);
}

function allCharacters(): string {
  const pieces: string[] = [];
  for (let point = 0; point <= LAST; point++) {
    if (point === BEFORE_SURROGATES) point = AFTER_SURROGATES;
    pieces.push(String.fromCodePoint(point));
  }
  return pieces.join("");
}

function pointAt(unit: number): number {
  if (unit < BEFORE_SURROGATES) return unit;
  if (unit < SINGLE_UNITS) return unit + AFTER_SURROGATES - BEFORE_SURROGATES;
  return 0x10000 + ((unit - SINGLE_UNITS) >> 1);
}

let orbits: ReadonlyMap<number, readonly number[]> | undefined;

/** The set with every code point that simple case folding makes equal to one of it: `k` brings `K` and the Kelvin sign. */
export function fold(set: CodePoints): CodePoints {
  orbits ??= foldOrbits();
  const [low, high] = set;
  if (set.length === 2 && low !== undefined && low === high) {
    return union([low, low, ...(orbits.get(low) ?? []).flatMap((other) => [other, other])]);
  }
  const ranges = [...set];
  for (const [point, others] of orbits) if (has(set, point)) for (const other of others) ranges.push(other, other);
  return union(ranges);
}

/** For each code point with case, the others of its orbit. Dotted and dotless i fold to nothing else, as in Unicode's simple folding. */
function foldOrbits(): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, Set<number>>();
  const join = (a: number, b: number): void => {
    const merged = new Set([...(groups.get(a) ?? [a]), ...(groups.get(b) ?? [b])]);
    for (const point of merged) groups.set(point, merged);
  };
  for (let point = 0; point < 0x1f000; point++) {
    if (point === 0x130 || point === 0x131 || (point >= 0xd800 && point <= 0xdfff)) continue;
    const character = String.fromCodePoint(point);
    for (const other of [character.toLowerCase(), character.toUpperCase()]) {
      const folded = other.codePointAt(0) ?? point;
      if (folded !== point && other.length === String.fromCodePoint(folded).length) join(point, folded);
    }
  }
  return new Map([...groups].map(([point, group]) => [point, [...group].filter((other) => other !== point)]));
}

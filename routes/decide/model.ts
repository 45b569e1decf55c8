/**
 * The neutral model of routing: what a dialect produces, what `resolve` interprets and what `compare` decides on.
 *
 * Everything here is plain, deeply read-only data. A dialect (Istio, Gateway API, Envoy) translates the objects of one place into one
 * {@link RouteWorld}; after that no part of the engine knows where a table came from.
 *
 * What a dialect must provide:
 *
 * 1. one {@link ViewTable} for every view that exists in its place, with everything static already decided: a rule whose port, gateway,
 *    namespace or labels exclude the view is not in the table;
 * 2. the rules of each virtual host in the order in which the proxy tries them, one {@link Rule} for each match block;
 * 3. actions with all defaults written out, header operations in the order in which the proxy applies them;
 * 4. an {@link Origin} for every rule, so that a verdict can be read next to the file;
 * 5. an {@link Unmodelled} entry for whatever is present, could change an answer and is not expressed here. Silence is a claim that
 *    nothing was left out;
 * 6. an {@link Assumption} for what a verdict rests on.
 *
 * What a dialect need not do: canonicalise. Weights may have common factors, rules may be shadowed, header names need the lower case
 * but no order; `compare` sees through all that.
 *
 * @module
 */

/**
 * A byte string, as proxies route on bytes. Valid UTF-8 is written as ordinary text; a byte that is not part of valid UTF-8 as the lone
 * surrogate U+DC00 + byte (so U+DC80 to U+DCFF).
 */
export type Text = string;

/**
 * One request or connection, as the client sends it.
 *
 * `resolve` reads all fields; a witness of `compare` fills those that matter and defaults the others (`GET`, no header, the first host
 * that fits). The proxy's own view of it (normalised path, scheme of the connection) is worked out by the table.
 */
export interface Request {
  /** An HTTP token, compared byte for byte. CONNECT is not modelled. */
  readonly method: string;
  /** What the client claims; a table with `scheme.from: "connection"` overrides it. */
  readonly scheme: "http" | "https";
  /** The Host header, with port and case as sent. */
  readonly authority: Text;
  /** `:path`: starts with `/`, with the query behind the first `?`. */
  readonly path: Text;
  /** Header lines in order of arrival; several lines of one name stay several. Names in lower case, no pseudo-header, no `host`. */
  readonly headers: readonly HeaderLine[];
  /** Server name of the TLS hello. Left out: no TLS, or a hello without name. */
  readonly sni?: string;
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  /** Claims of the verified token: a string, a list of strings, or an object of claims. Left out: no token. */
  readonly claims?: Claims;
}

/** One header line: name in lower case, and value without blanks around it. */
export type HeaderLine = readonly [name: string, value: Text];

/** An IP address in text form and a port. */
export interface Endpoint {
  readonly address?: string;
  readonly port?: number;
}

/** A JSON object of claims. Numbers and booleans satisfy no matcher and so need not be told. */
export interface Claims {
  readonly [name: string]: string | readonly string[] | Claims;
}

/**
 * A test of one string. `ignoreCase` folds ASCII letters only and does not exist for regexes, as in Envoy.
 * A regex is RE2 syntax and must match the whole string.
 */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: Text; readonly ignoreCase?: boolean }
  | { readonly kind: "prefix"; readonly value: Text; readonly ignoreCase?: boolean }
  | { readonly kind: "suffix"; readonly value: Text; readonly ignoreCase?: boolean }
  | { readonly kind: "contains"; readonly value: Text; readonly ignoreCase?: boolean }
  | { readonly kind: "regex"; readonly pattern: string };

/**
 * A test of the path without query, after normalisation. `separated-prefix` takes the value itself and whatever continues it with `/`;
 * its value must not end in `/`.
 */
export type PathMatch =
  | StringMatch
  | { readonly kind: "separated-prefix"; readonly value: Text; readonly ignoreCase?: boolean };

/**
 * A test of a named thing that can be absent: a header, a query parameter, a claim.
 *
 * 1. Absent: the answer is `whenAbsent` (false where left out), whatever `invert` says. `"as-empty"` judges an absent thing as the
 *    empty string and then inverts: this is `treat_missing_header_as_empty`.
 * 2. Present: `match`, turned round by `invert`. `any` is true of every value, the empty one too.
 * 3. Several lines: as the reading of the table says ({@link HttpReading.headerLines}); under `each`, `match` holds when any line
 *    satisfies it and the inverted test when none does.
 *
 * | Envoy | here |
 * | --- | --- |
 * | `present_match: true` | `{ match: any }` |
 * | the same inverted, or `present_match: false` | `{ match: any, invert: true, whenAbsent: true }` |
 * | `string_match` | `{ match }` |
 * | the same inverted | `{ match, invert: true }`: "present and not" |
 * | the same with `treat_missing_header_as_empty` | `{ match, invert: true, whenAbsent: "as-empty" }` |
 */
export interface FieldMatch {
  readonly match: StringMatch | { readonly kind: "any" };
  readonly invert?: boolean;
  readonly whenAbsent?: boolean | "as-empty";
}

/**
 * A header test. `name` in lower case. The names `:method`, `:scheme`, `:authority` (and `host`) and `:path` test these parts of the
 * request, `:path` with its query; this is how a dialect expresses matches on them.
 */
export interface HeaderMatch extends FieldMatch {
  readonly name: string;
}

/** A test of the first parameter of that name in the query, raw: nothing is decoded, names are case-sensitive, `?k` has the value "". */
export interface QueryMatch extends FieldMatch {
  readonly name: string;
}

/** A test of a claim: true of a string that satisfies `match`, and of a list with such an element. `path` leads through objects. */
export interface ClaimMatch extends FieldMatch {
  readonly path: readonly string[];
}

/** All parts must hold; a part that is left out holds always. `{}` takes every request. */
export interface Condition {
  readonly path?: PathMatch;
  readonly headers?: readonly HeaderMatch[];
  readonly query?: readonly QueryMatch[];
  readonly claims?: readonly ClaimMatch[];
}

/**
 * What happens to a request. Actions are functions of the request (a prefix rewrite gives every path another result); two actions are
 * equal on a class of requests when they give the client and the backend the same on each of them.
 */
export type Action = Forward | Redirect | Respond | NotFound | Passthrough | Close | Invalid;

/** To one of several destinations, by weight. */
export interface Forward {
  readonly type: "forward";
  /** At least one. Only proportions count; a weight of 0 is never chosen, and a single destination is always. */
  readonly destinations: readonly Destination[];
  /** How the path is rewritten; the query stays. Left out: as it is. */
  readonly rewritePath?: PathRewrite;
  /** Milliseconds; left out or 0: none. */
  readonly timeout?: number;
  /** Left out: the request is tried once. */
  readonly retries?: Retries;
  readonly mirrors?: readonly Mirror[];
  readonly fault?: Fault;
  readonly cors?: Cors;
}

/** A share of a forward. */
export type Destination = Backend | Failure;

/** A service that takes requests. */
export interface Backend {
  readonly host: string;
  readonly port: number;
  /** Labels that select its pods; names of subsets do not matter. Left out: all pods. */
  readonly subset?: Readonly<Record<string, string>>;
  readonly weight: number;
  /** What else changes how it is reached: TLS mode, consistent hash, ... as canonical text by name. */
  readonly policy?: Readonly<Record<string, string>>;
  /** The Host that the backend receives. Left out: as the client sent it. */
  readonly authority?: Text;
  /** All operations on the request for this share, those of the route and of the destination, in the order of application. */
  readonly request?: readonly HeaderOperation[];
  /** The same for the response. */
  readonly response?: readonly HeaderOperation[];
}

/** A share that is answered with an error: a backend that does not exist. */
export interface Failure {
  readonly invalid: true;
  readonly status: number;
  readonly weight: number;
  readonly response?: readonly HeaderOperation[];
}

/**
 * One operation on a list of header lines. `set` replaces all lines of the name by one, `add` appends a line, `remove` drops all.
 * `name` in lower case. `value` is an Envoy format string, in which `%%` stands for `%`; operations with an empty value are left out by the dialect.
 */
export type HeaderOperation =
  | { readonly op: "set" | "add"; readonly name: string; readonly value: Text }
  | { readonly op: "remove"; readonly name: string };

/**
 * A function of the path without query.
 *
 * `replace`: the value, whatever the path was. `prefix`: the first `length` bytes give way to the value (`length` is that of the matched
 * prefix, so that it also fits matches that ignore case). `regex`: every match of the pattern, left to right, gives way to the
 * substitution (`\0` the match, `\1` to `\9` groups, `\\` a backslash); an empty result leaves the path as it was.
 */
export type PathRewrite =
  | { readonly kind: "replace"; readonly value: Text }
  | { readonly kind: "prefix"; readonly length: number; readonly value: Text }
  | { readonly kind: "regex"; readonly pattern: string; readonly substitution: string };

/**
 * An answer that sends the client elsewhere; `location` is made as Envoy makes it.
 *
 * `scheme` left out: that of the request. `authority` left out: that of the request. `port` left out: the port of a kept authority stays,
 * unless the scheme changes and it is the default of the old one; given: it replaces any port, and the dialect has already elided what
 * its proxy elides. A `replace` path with `?` replaces the query too.
 */
export interface Redirect {
  readonly type: "redirect";
  readonly status: number;
  readonly scheme?: string;
  readonly authority?: Text;
  readonly port?: number;
  readonly path?: PathRewrite;
  readonly stripQuery?: boolean;
  /** The port of a kept authority stays even when the scheme changes: how Envoy answers where a virtual host requires TLS. */
  readonly keepPort?: boolean;
  /** A kept authority loses its port. */
  readonly dropPort?: boolean;
  readonly response?: readonly HeaderOperation[];
  readonly fault?: Fault;
}

/** An answer by the proxy itself. With status 404, no body and no operation it equals {@link NotFound}. */
export interface Respond {
  readonly type: "respond";
  readonly status: number;
  readonly body: Text;
  readonly response?: readonly HeaderOperation[];
  readonly fault?: Fault;
}

/** No route: 404 without body. */
export interface NotFound {
  readonly type: "notFound";
}

/** To the address that the client asked for. */
export interface Passthrough {
  readonly type: "passthrough";
}

/** No filter chain, the connection is closed. */
export interface Close {
  readonly type: "close";
}

/** The proxy refuses this configuration; nothing is known of what it serves instead. Equal to nothing, not even to another `invalid`. */
export interface Invalid {
  readonly type: "invalid";
  readonly reason: string;
}

/** When and how often a failed request is tried again. */
export interface Retries {
  readonly attempts: number;
  /** A set; order and repetition do not matter. */
  readonly on: readonly string[];
  /** Status codes for `retriable-status-codes`; a set. */
  readonly codes?: readonly number[];
  /** Milliseconds; left out or 0: the timeout of the route. */
  readonly perTryTimeout?: number;
  /** Milliseconds. */
  readonly backoff?: { readonly base: number; readonly max: number };
  /** Choose a host that was not tried before. */
  readonly otherHosts?: boolean;
  readonly remoteLocalities?: boolean;
}

/** A copy of the request whose answer nobody sees. */
export interface Mirror {
  readonly host: string;
  readonly port: number;
  readonly subset?: Readonly<Record<string, string>>;
  /** Millionths of the requests. */
  readonly share: number;
  /** The Host of the copy gets `-shadow` behind its name. */
  readonly shadowHost?: boolean;
}

/** Trouble on purpose; shares in millionths of the requests. */
export interface Fault {
  readonly delay?: { readonly milliseconds: number; readonly share: number };
  readonly abort?: { readonly status: number; readonly grpc?: boolean; readonly share: number };
}

/** Cross-origin rules. They act where an `Origin` header satisfies one of `origins`; lists are sets. */
export interface Cors {
  readonly origins: readonly StringMatch[];
  readonly methods?: readonly string[];
  readonly headers?: readonly string[];
  readonly expose?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
  readonly credentials?: boolean;
  /** Preflights whose origin does not match: forwarded (false) or answered by the proxy without CORS headers (true). */
  readonly answerUnmatched?: boolean;
}

/** Where a rule was written. `file` and `line` may be filled in late, by whoever prints. */
export interface Origin {
  /** `VirtualService prod/api`. */
  readonly object: string;
  /** `spec.http[2].match[0]`. */
  readonly path: string;
  readonly file?: string;
  readonly line?: number;
}

/** One match block with its action. The first rule of a virtual host whose condition holds decides. */
export interface Rule {
  readonly when: Condition;
  readonly action: Action;
  readonly origin: Origin;
}

/**
 * A set of domains with the rules for them. When no rule holds the answer is `notFound`: there is no fall-through to a wider domain.
 */
export interface VirtualHost {
  /**
   * `a.com`, `*.a.com` (at least one character for the star), `a.*`, or `*`. The choice is exact domain, then longest suffix, then
   * longest prefix, then `*`; a domain occurs once in a table (of two, the first counts). Compared in lower case.
   */
  readonly domains: readonly string[];
  readonly rules: readonly Rule[];
  /** Rules of the same objects that the control plane leaves out, as they stand behind one of theirs that it knows to take everything. */
  readonly untried?: readonly Origin[];
  /** Made for a service that no routing object names. */
  readonly isImplicit?: true;
  /** What is present for these domains and was not expressed. Makes every answer here undecided, where places do not agree on it. */
  readonly unmodelled?: readonly Unmodelled[];
}

/**
 * How a proxy reads text; depends on its version.
 *
 * | | value | Envoy |
 * | --- | --- | --- |
 * | `headerLines` | `joined`: lines of one name are joined with `,` and matched as one | up to 1.38 |
 * | | `each`: every line is matched by itself | from 1.39.0 |
 * | `regexText` | `utf-8`: RE2 reads code points; what is not valid UTF-8 matches nothing | up to 1.39.0 |
 * | | `bytes`: every byte is a character, those of the pattern too | from 1.39.1 |
 */
export interface HttpReading {
  readonly headerLines: "joined" | "each";
  readonly regexText: "utf-8" | "bytes";
}

/** What is done to a path before it is matched and forwarded; names as in Istio's mesh config. */
export type PathNormalization = "none" | "base" | "merge-slashes" | "decode-and-merge-slashes";

/** Parts of an authority that a proxy takes off: any port or that one, and a dot at the end of the host. */
export interface Strips {
  readonly port?: "any" | number;
  readonly dot?: true;
}

/** HTTP routing of one listener (or of one filter chain of it). */
export interface HttpTable {
  readonly type: "http";
  readonly reading: HttpReading;
  readonly pathNormalization: PathNormalization;
  /** A port behind the host is ignored when the virtual host is chosen. */
  readonly ignorePort: boolean;
  /** What is taken off an authority before anything looks at it; the backend receives it so. Left out: nothing. */
  readonly strips?: Strips;
  /**
   * Where `:scheme` comes from. `x-forwarded-proto` sets it, when it is one line `http` or `https` (in any case), on sidecars and
   * behind trusted proxies; otherwise it is the default.
   */
  readonly scheme: { readonly from: "connection" | "x-forwarded-proto"; readonly default: "http" | "https" };
  /** Headers that the proxy sets itself before it routes, whatever the client sent, by name: on a gateway `x-forwarded-proto`. */
  readonly overwritten?: Readonly<Record<string, Text>>;
  readonly virtualHosts: readonly VirtualHost[];
  /** The answer when no virtual host takes the authority. Nearly always `notFound`. */
  readonly otherwise: Action;
}

/**
 * What a listener does with a connection. The chain is chosen as Envoy does it: destination port, then address, then server name, then
 * transport, then where the client is and its port; each step keeps the chains with the most specific match and never goes back. A plaintext HTTP listener has one chain
 * without conditions.
 */
export interface Listener {
  readonly chains: readonly Chain[];
  /** When no chain is left: `close`, or what the default chain does. */
  readonly otherwise: HttpTable | Action;
}

/** One filter chain. Fields that are left out take everything. */
export interface Chain {
  readonly when: ChainMatch;
  /** HTTP routing, or what happens to the bytes of the connection. */
  readonly then: HttpTable | Action;
  readonly origin: Origin;
  /** Made for a service as such: no routing object says it. */
  readonly isImplicit?: true;
}

/** Static parts (source labels, namespace, gateway) are decided by the dialect. */
export interface ChainMatch {
  readonly destinationPort?: number;
  /** `10.0.0.0/8`, `2001:db8::/32`; any of them. */
  readonly destinations?: readonly string[];
  /** `a.com`, `*.a.com`; any of them, in lower case. */
  readonly serverNames?: readonly string[];
  /** `tls` or `raw_buffer`. */
  readonly transport?: "tls" | "raw_buffer";
  /** For clients on the proxy's own host (true), or on others alone (false). Requests here come from others. */
  readonly isLocal?: boolean;
  /** Where the client is: ranges as for `destinations`; any of them. */
  readonly sources?: readonly string[];
  /** Any of these ports of the client. */
  readonly sourcePorts?: readonly number[];
}

/** Who looks: a server of a gateway, or a proxy in the mesh. The JSON form is part of the contract. */
export type View = GatewayView | MeshView;

/** One server port of a gateway. */
export interface GatewayView {
  /** `namespace/name`. */
  readonly gateway: string;
  readonly port: number;
  readonly tls: boolean;
}

/** Outbound traffic of one kind of proxy to one port. */
export interface MeshView {
  readonly mesh: true;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
}

/**
 * The routing that one view sees. Where something that matters is not known (the proxy's version, the age of two objects) there is one
 * reading for each possibility, and an answer counts only when it is the same in all of them. Usually there is exactly one.
 */
export interface ViewTable {
  readonly view: View;
  /** The view stands for all clients of which nothing is known: its namespace is one that no object names. */
  readonly isOfOthers?: true;
  /** The port on which the proxies of a gateway listen, where it is known: what one of them has loaded is told by it. */
  readonly listen?: number;
  readonly readings: readonly Reading[];
}

/** One possibility. `name` says what it supposes: `Envoy 1.38 or older`; empty where there is only one. */
export interface Reading {
  readonly name: string;
  /**
   * The releases, by program, for which the reading stands where they are not known. Places of unknown release are compared as if all
   * had the same one: readings go together when they have a release of every program in common. Left out: known, or of no matter.
   */
  readonly versions?: Readonly<Record<string, readonly string[]>>;
  readonly listener: Listener;
}

/** The routing of one place. */
export interface RouteWorld {
  /** Name of the place in reports: a cluster, a file. */
  readonly place: string;
  readonly views: readonly ViewTable[];
  /** Services told apart by name, by the address that stands for it: a request to one is told with the name. */
  readonly services?: Readonly<Record<string, { readonly host: string; readonly hasBothFamilies: boolean }>>;
  /** Hosts of the mesh whose requests are routed by something that no view shows: a waypoint. */
  readonly routedBeside?: Readonly<Record<string, Unmodelled>>;
  /** The clients in the mesh are not known: views were made for those that objects name, and for others. */
  readonly areClientsAssumed?: true;
  readonly assumptions: readonly Assumption[];
  /** What could not be expressed and touches all of the place. */
  readonly unmodelled: readonly Unmodelled[];
}

/** What a verdict rests on that was seen but lies outside the model. */
export interface Assumption {
  readonly text: string;
  /** `EnvoyFilter prod/patch`. */
  readonly where?: string;
}

/**
 * Something present that could change an answer and is not modelled.
 *
 * `key` is the same in two places exactly when the same thing acts there in the same way (kind, position and digest of its
 * configuration). When all places compared carry the same keys, tables that agree are equivalent with an assumption; otherwise what
 * they touch is undecided. Without a key it always makes undecided.
 */
export interface Unmodelled {
  readonly reason: string;
  readonly where?: { readonly object: string; readonly path?: string };
  readonly key?: string;
  /** It may send requests elsewhere: of one place alone nothing is known, whatever the key. */
  readonly mayRoute?: true;
}

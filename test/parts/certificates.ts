import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate and its key, as files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Makes an authority in `folder`, with openssl. */
export async function makeAuthority(folder: string, name: string): Promise<KeyPair> {
  const pair = { cert: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}.key`) };
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"],
    ...["-subj", `/CN=${name}`, "-addext", "keyUsage=critical,keyCertSign,digitalSignature", "-keyout", pair.key, "-out", pair.cert],
  ]);
  return pair;
}

export interface Wanted {
  /** File stem. */
  readonly name: string;
  /** `/O=group/CN=user`. */
  readonly subject: string;
  readonly altNames?: readonly string[];
  /** Start and end, `YYYYMMDDHHMMSSZ`; left out, valid for the next ten years. */
  readonly between?: readonly [start: string, end: string];
  /** Lines of extensions; left out: for servers and clients. */
  readonly extensions?: readonly string[];
}

/** Makes a certificate that `authority` signs, for servers and clients alike. */
export async function makeCertificate(folder: string, authority: KeyPair, wanted: Wanted): Promise<KeyPair> {
  const stem = path.join(folder, wanted.name);
  const pair = { cert: `${stem}.pem`, key: `${stem}.key` };
  const [start, end] = wanted.between ?? ["20200101000000Z", "20491231000000Z"];
  const names = wanted.altNames === undefined ? "" : `subjectAltName=${wanted.altNames.join(",")}\n`;

  await run("openssl", [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", wanted.subject, "-keyout", pair.key, "-out", `${stem}.csr`],
  ]);
  await Promise.all([
    writeFile(`${stem}.index`, ""),
    writeFile(`${stem}.cnf`, caSettings(stem, folder)),
    writeFile(`${stem}.ext`, `${(wanted.extensions ?? ["extendedKeyUsage=serverAuth,clientAuth"]).join("\n")}\n${names}`),
  ]);
  await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", `${stem}.cnf`, "-cert", authority.cert, "-keyfile", authority.key],
    ...["-startdate", start, "-enddate", end, "-in", `${stem}.csr`, "-extfile", `${stem}.ext`, "-out", pair.cert],
  ]);
  return pair;
}

/** `openssl ca` is the one command of OpenSSL 3.0 that takes a start and an end; it wants a database. */
function caSettings(stem: string, folder: string): string {
  return `[ca]
default_ca = here
[here]
database = ${stem}.index
new_certs_dir = ${folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
`;
}

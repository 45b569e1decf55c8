import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The parts of a bundle that tests exchange. */
export interface Bundle {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    publicKey?: { hint: string };
    tlogEntries?: unknown[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

const TYPE = "application/vnd.in-toto+json";

/** The statement that Cosign 3 signs for an image. */
export function statementOf(digest: string, more: object = {}): object {
  return { _type: "https://in-toto.io/Statement/v1", subject: [{ digest: { sha256: digest.replace("sha256:", "") }, annotations: {} }], predicateType: "https://sigstore.dev/cosign/sign/v1", predicate: {}, ...more };
}

/** What an envelope's signature is over. */
export function paeOf(payload: Uint8Array, type = TYPE): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
}

/** A bundle that a certificate signs, with a stamp of the time, made without any of Sigstore's own tools. */
export async function bundleBy(pair: { readonly cert: string; readonly key: string }, statement: object, tsa: string): Promise<Bundle> {
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = sign("sha256", paeOf(payload), createPrivateKey(await readFile(pair.key)));
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      certificate: { rawBytes: new X509Certificate(await readFile(pair.cert)).raw.toString("base64") },
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: await stampOf(signature, `${pair.cert}.sig`, tsa) }] },
    },
    dsseEnvelope: { payload: payload.toString("base64"), payloadType: TYPE, signatures: [{ sig: signature.toString("base64") }] },
  };
}

async function stampOf(signature: Buffer, file: string, tsa: string): Promise<string> {
  await writeFile(file, signature);
  await run("openssl", ["ts", "-query", "-data", file, "-sha256", "-cert", "-out", `${file}.tsq`]);
  const answer = await fetch(tsa, { method: "POST", headers: { "content-type": "application/timestamp-query" }, body: new Uint8Array(await readFile(`${file}.tsq`)) });
  if (!answer.ok) throw new Error(`the authority answered ${answer.status}: ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer()).toString("base64");
}

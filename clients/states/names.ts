import type { StatePlace } from "./place.ts";
import { fileOf } from "./file.ts";

/** What a report calls a place: enough to go and look, and nothing that could be a secret. */
function nameOf(place: StatePlace): string {
  const { workspace } = place;
  const of = workspace === undefined ? "" : ` (workspace ${workspace})`;
  switch (place.form) {
    case "state":
      return fileOf(place).shown;
    case "dir":
      return `${place.shown}${of}`;
    case "command":
      // Its other words may hold a password.
      return `command ${place.command[0] ?? ""}${of}`;
    case "s3":
      return `s3://${place.settings.bucket}/${place.settings.key}${of}`;
    case "gcs":
      return `gs://${place.settings.bucket}/${place.settings.prefix ?? ""}${of}`;
    case "azurerm":
      return `azurerm ${place.settings.storage_account_name}/${place.settings.container_name}/${place.settings.key}${of}`;
    case "http":
      return `${shownUrl(place.settings.address)}${of}`;
    case "kubernetes":
      return `secret ${place.settings.namespace ?? "default"}/${place.settings.secret_suffix}${of}`;
    case "hcp":
      return `https://${place.settings.hostname ?? "app.terraform.io"}/app/${place.settings.organization}/workspaces/${place.settings.workspace}`;
    default:
      return place satisfies never;
  }
}

/** A URL without user, password and query: any of them may be a secret. */
export function shownUrl(address: string): string {
  const url = URL.parse(address);
  return url === null ? "an address that is no URL" : `${url.origin}${url.pathname}`;
}

/** The names of places side by side: who is called like one before him gets a number. */
export function namesOf(places: readonly StatePlace[]): readonly string[] {
  const seen = new Map<string, number>();
  return places.map((place) => {
    const name = nameOf(place);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

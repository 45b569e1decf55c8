import { dirname, resolve } from "node:path";
import type { NamedState, StatePlace } from "../../clients/states/index.ts";
import type { FleetTerraform } from "../schemas/fleet.generated.ts";
import { pathFrom, refusal, refusedPath, shownFrom, type LoadOptions, type Refused } from "./trust.ts";

/** One `terraform:` of a cluster, with absolute paths; under `--untrusted` refused where a file may not say it. */
export async function stateOf(declared: FleetTerraform, file: string, options: LoadOptions): Promise<NamedState> {
  const { cluster, lineage } = declared;
  const place = placeOf(declared, file, options);
  return { place, ...(cluster === undefined ? {} : { cluster }), ...(lineage === undefined ? {} : { lineage }), refused: await refusedPlace(declared, place, file, options) };
}

function placeOf({ workspace, ...declared }: FleetTerraform, file: string, options: LoadOptions): StatePlace {
  const { state, dir, backendConfig = [], command, s3, gcs, azurerm, http, kubernetes, hcp } = declared;
  const named = (name: string) => {
    const path = pathFrom(file, name, options);
    return { file: path, shown: shownFrom(options.cwd, path) };
  };
  if (state !== undefined) return { form: "state", ...named(state), workspace };
  if (dir !== undefined) {
    const { file: path, shown } = named(dir);
    return { form: "dir", dir: path, shown, backendConfig: backendConfig.map(named), workspace };
  }
  if (command !== undefined) return { form: "command", command, cwd: dirname(resolve(options.cwd, file)), workspace };
  if (s3 !== undefined) return { form: "s3", settings: s3, workspace };
  if (gcs !== undefined) return { form: "gcs", settings: gcs, workspace };
  if (azurerm !== undefined) return { form: "azurerm", settings: azurerm, workspace };
  if (http !== undefined) return { form: "http", settings: http, workspace };
  if (kubernetes !== undefined) {
    const { config_path: path } = kubernetes;
    return { form: "kubernetes", settings: { ...kubernetes, ...(path === undefined ? {} : { config_path: pathFrom(file, path, options) }) }, workspace };
  }
  if (hcp !== undefined) return { form: "hcp", settings: hcp, workspace };
  throw new Error("the schema of the fleet lets no source through that has no form");
}

async function refusedPlace(declared: FleetTerraform, place: StatePlace, file: string, options: LoadOptions): Promise<Refused | undefined> {
  if (!options.untrusted) return undefined;
  const { form } = place;
  if (form !== "state" && form !== "dir") return refusal(form, "check the state out beside the fleet file and name it as `state`");
  const names = [declared.state, declared.dir, ...(declared.backendConfig ?? [])].filter((name) => name !== undefined);
  for (const name of names) {
    const refused = await refusedPath(file, name, pathFrom(file, name, options), options);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

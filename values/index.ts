export { envoyVersionOfBuild, parseEnvoyVersion, type EnvoyVersion } from "./envoy-version.ts";
export { parseDuration } from "./duration.ts";
export { foreignText } from "./foreign-text.ts";
export { matchesGlob } from "./glob.ts";
export { identityFaults, identityPatternFault, identityPatternRisk, matchesIdentity } from "./identity-pattern.ts";
export { compareKubernetesVersions, parseKubernetesVersion, type KubernetesVersion } from "./kubernetes-version.ts";
export { imageDigest, parseImage, type ImageReference } from "./image.ts";
export {
  envoyNumbersOf,
  istioMap,
  istioMapEntriesOf,
  IstioMapError,
  newestOf,
  type EnvoyNumbers,
  type IstioMap,
  type IstioMapEntry,
} from "./istio-map.ts";
export { istioBuildText, istioReleaseText, parseIstioRelease, type IstioRelease } from "./istio-release.ts";
export { compareReleases, lineText, parseReleaseNumber, releaseText, type ReleaseNumber } from "./release-number.ts";
export { isBelow, objectPathText, parseObjectPath, type ObjectPath } from "./object-path.ts";
export { DOCKER_HUB, isOfRepository, ociName, ociReferenceTo, parseOciReference, workloadReference, type OciReference } from "./oci-reference.ts";
export { parseQuantity, quantityNumber, quantityText, type Quantity } from "./quantity.ts";
export { parseStructured, type TextReader } from "./structured-text.ts";
export { readCore, readKubernetes, type Dialect, type ReadPlain, type Scalar } from "./yaml-words.ts";

import { closeSync, openSync, writeSync } from "node:fs";
import { eksCluster, eksPool, resource } from "../support/states.ts";

/** Writes a state of about so many bytes: an EKS cluster with one pool, among resources that nobody reads. Gives the number of resources. */
export function writeState(file: string, size: number): number {
  const out = openSync(file, "w");
  let written = 0;
  let resources = 0;
  const write = (text: string) => void (written += writeSync(out, text));
  write('{\n  "version": 4,\n  "terraform_version": "1.11.4",\n  "serial": 12345,\n  "lineage": "11111111-2222-4333-8444-555555555555",\n  "outputs": {},\n  "resources": [\n');
  for (const each of [resource("aws_eks_cluster", eksCluster()), resource("aws_eks_node_group", eksPool("general"))]) write(`${JSON.stringify(each, null, 2)},\n`);
  for (; written < size; resources += 1) write(`${JSON.stringify(other(resources), null, 2)},\n`);
  write(`${JSON.stringify(other(resources), null, 2)}\n  ],\n  "check_results": null\n}\n`);
  closeSync(out);
  return resources + 3;
}

const TYPES = ["aws_iam_role", "aws_security_group_rule", "helm_release", "google_project_iam_member"];

function other(index: number): object {
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: `arn:aws:s3:::b${index}/*` }] });
  const values = JSON.stringify({ replicas: index, image: { repository: "registry.example/shop/app", tag: "3.4.1" }, config: "x".repeat(200) });
  const attributes = { id: `r${index}`, arn: `arn:aws:iam::111122223333:role/r${index}`, chart: "app", description: "a text that is as long as such texts are", policy, metadata: [{ app_version: "3.4.1", values }], tags: { team: "shop", number: `${index}`, none: null }, list: [1, 2, 3, true, null] };
  return resource(TYPES[index % TYPES.length] ?? "x", attributes, { name: `r${index}`, instance: { private: "bnVsbA==", dependencies: ["aws_iam_role.a", "aws_iam_role.b"] } });
}

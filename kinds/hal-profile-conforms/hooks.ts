import type { HalProfile } from "./profile.ts";
import type { Release } from "./releases.ts";

export type Hook = NonNullable<NonNullable<HalProfile["mesh"]>["ebpf"]>["hooks"][number];

const since = (major: number, minor: number): Release => [major, minor, 0];

/** The kernel that first has a hook. bcc `docs/kernel-versions.md`, Cilium's system requirements, commits of Linux. */
const FLOORS: Readonly<Record<Hook, Release>> = {
  jit: since(3, 16),
  tc: since(4, 1),
  tc_direct_action: since(4, 4),
  clsact: since(4, 5),
  xdp: since(4, 8),
  af_xdp: since(4, 18),
  sock_ops: since(4, 13),
  sockmap: since(4, 14),
  sockhash: since(4, 18),
  sk_msg: since(4, 17),
  cgroup_bind4: since(4, 17),
  cgroup_bind6: since(4, 17),
  cgroup_connect4: since(4, 17),
  cgroup_connect6: since(4, 17),
  cgroup_sendmsg4: since(4, 18),
  cgroup_sendmsg6: since(4, 18),
  cgroup_recvmsg4: since(5, 2),
  cgroup_recvmsg6: since(5, 2),
  cgroup_getsockopt: since(5, 3),
  cgroup_setsockopt: since(5, 3),
  btf: since(5, 4),
  cgroup_link: since(5, 7),
  xdp_link: since(5, 9),
  lsm: since(5, 7),
  fentry: since(5, 5),
  ringbuf: since(5, 8),
  cap_bpf: since(5, 8),
  sk_lookup: since(5, 9),
  host_routing: since(5, 10),
  multicast: since(5, 10),
  tcx: since(6, 6),
  netkit: since(6, 7),
};

/** Where arm64 came later: its compiler in 3.18, trampolines and Cilium's multicast in 6.0. */
const ON_ARM64: Partial<Record<Hook, Release>> = { jit: since(3, 18), lsm: since(6, 0), fentry: since(6, 0), multicast: since(6, 0) };

/** The least kernel for a hook on an architecture, as it is written in Kubernetes (`amd64`, `arm64`). */
export function floorOf(hook: Hook, arch: string): Release {
  return (arch === "arm64" ? ON_ARM64[hook] : undefined) ?? FLOORS[hook];
}

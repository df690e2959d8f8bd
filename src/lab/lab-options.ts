/** What the lab is asked for. */
import type { LabNetwork } from './lab-network.ts';

export const LINK_KINDS = ['tun', 'namespace', 'pipe'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export interface LabOptions {
  /** undefined: the best that this user can have here. */
  readonly link: LinkKind | undefined;
  /** End after the two ladders. */
  readonly once: boolean;
  readonly network: LabNetwork;
  /** Bytes. */
  readonly mtu: number;
  /** Super-segments and partial checksums. */
  readonly offload: boolean;
  /** A pcapng file that gets every packet; it is overwritten. */
  readonly pcap: string | undefined;
  /** undefined: when the output is a terminal. */
  readonly color: boolean | undefined;
}

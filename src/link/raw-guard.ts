/** Keeps the kernel from answering what is ours. It has no socket on the link's ports, and would reset every connection of them. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import type { IpAddress } from '../wire/address.ts';
import { PRIVILEGE_ADVICE, RawError } from './raw-error.ts';
import { addRules } from './raw-iptables.ts';
import { openTable } from './raw-nftables.ts';
import type { PortRange } from './raw-ports.ts';
import { undoAtEnd } from './raw-undo.ts';
import type { TunSystem } from './tun-system.ts';

export type GuardKind = 'nftables' | 'iptables' | 'none';

export interface Guard {
  readonly kind: GuardKind;
  /** What our packets must carry to pass it (SO_MARK); 0: nothing. */
  readonly mark: number;
  close(): void;
}

export interface GuardOptions {
  /** 'auto': nftables, or iptables where the kernel has no nf_tables (or none that a process may own). */
  readonly kind: GuardKind | 'auto';
  readonly address: IpAddress;
  readonly ports: readonly PortRange[];
  /** IP protocol numbers. */
  readonly protocols: readonly number[];
}

const UDP = 17;
const MARK = 0x74_75_6e;

let count = 0;

/** @throws RawError EPERM, or what else the kernel or iptables answered; ENOTSUP iptables for UDP */
export function openGuard(system: TunSystem, options: GuardOptions): Guard {
  if (options.kind === 'none') return { kind: 'none', mark: 0, close: () => {} };
  if (options.kind === 'iptables') return withIptables(options);
  const name = `tunstack-raw-${process.pid}-${count++}`;
  const table = openTable(system, name, options.address, options.ports, options.protocols);
  if (typeof table !== 'number') return { kind: 'nftables', mark: 0, close: () => table.close() };
  const { EPERM, EACCES } = constants.errno;
  if (options.kind === 'auto' && table !== EPERM && table !== EACCES) return withIptables(options);
  const code = getSystemErrorName(-table);
  throw new RawError(code, `cannot make a table of nf_tables, which keeps the kernel from answering for us (${code})`, {
    advice:
      code === 'EPERM'
        ? PRIVILEGE_ADVICE
        : 'Linux 5.12 or later is needed, with nf_tables: or open it with { guard: "iptables" }',
  });
}

function withIptables({ address, ports, protocols }: GuardOptions): Guard {
  if (protocols.includes(UDP)) {
    throw new RawError(
      'ENOTSUP',
      "iptables cannot keep the kernel's port unreachables back without those of other ports",
      { advice: 'a kernel with nf_tables (Linux 5.12) can; or leave udp out of the protocols' },
    );
  }
  return { kind: 'iptables', mark: MARK, close: undoAtEnd(addRules(address, ports, MARK)) };
}

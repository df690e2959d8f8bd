/** Interfaces by their names and numbers: what SO_BINDTODEVICE and zones name. */
import type { IpAddress } from '../wire/address.ts';
import { LOOPBACK_INDEX } from './interface.ts';
import type { Network } from './network.ts';

const LOOPBACK_NAME = 'lo';

/** @returns the index of the interface of that name; 0: there is none */
export function deviceIndex({ interfaces }: Network, name: string): number {
  if (name === LOOPBACK_NAME) return LOOPBACK_INDEX;
  return interfaces.find((each) => each.name === name)?.index ?? 0;
}

/** The name of the interface with that index; undefined: there is none. */
export function deviceName({ interfaces }: Network, index: number): string | undefined {
  if (index === LOOPBACK_INDEX) return LOOPBACK_NAME;
  return interfaces.find((each) => each.index === index)?.name;
}

/** The index of the interface that has an address of the host's; the loopback's for those of all the host. */
export function deviceOf({ own }: Network, { w0, w1, w2, w3 }: IpAddress): number {
  return own.find(w0, w1, w2, w3)?.device ?? LOOPBACK_INDEX;
}

/**
 * A link over a TUN device of Linux: the kernel of the same machine is at its other end.
 *
 * docs/decisions/tuntap2-koffi.md says why it is built on koffi and what it costs.
 */

import { wrongNames } from '../arguments.ts';
import type { Prefix } from '../wire/address.ts';
import { parsePrefix } from '../wire/address.ts';
import type { DeviceKind, TunDevice } from './tun-device.ts';
import { checkName, openDevice } from './tun-device.ts';
import { EINVAL, systemError, TunError, wrongArgument } from './tun-error.ts';
import { VnetLink } from './tun-link.ts';
import type { InterfaceState } from './tun-netlink.ts';
import { Netlink } from './tun-netlink.ts';
import type { TunSystem } from './tun-system.ts';
import { tunSystem } from './tun-system.ts';

export { TunError } from './tun-error.ts';
export type { TunStatistics } from './tun-link.ts';
export type { InterfaceCounters, InterfaceState } from './tun-netlink.ts';

const SMALLEST_MTU = 68;
const LARGEST_MTU = 65_535;
const DEFAULT_MTU = 1500;
/** The kernel's own default, 500, overflows when a sender at MTU 1500 meets a reader that is away for 2 ms. */
const DEFAULT_TX_QUEUE_LENGTH = 10_000;

export interface TunOptions {
  /** The interface's name, up to 15 bytes; one that exists is attached to. Default: the first free of tun0, tun1, ... */
  readonly name?: string;
  /** The kernel's end, `10.9.0.1/24` or `fd00::1/64`. Default: none is given. */
  readonly address?: string;
  /** Bytes, 68..65535. Default: 1500 for an interface that is created; one that is attached to keeps its own. */
  readonly mtu?: number;
  /** Super-segments up to 64 KiB and partial checksums, both ways. Default: true. */
  readonly offload?: boolean;
  /** Packets that may wait to be read before the kernel drops more. Default: 10000 when created, untouched when attached to. */
  readonly txQueueLength?: number;
  /** Whether the interface is put up, or down. Default: up when created, untouched when attached to. */
  readonly up?: boolean;
}

/** A device that is open, and its interface as it is. */
export interface OpenedDevice {
  readonly system: TunSystem;
  readonly device: TunDevice;
  readonly netlink: Netlink;
  readonly state: InterfaceState;
  readonly offload: boolean;
}

export class TunLink extends VnetLink {
  readonly #netlink: Netlink;
  readonly #index: number;
  readonly #given = new Map<4 | 6, Prefix>();

  /** For `openTun` and `openTap` alone. `before`: bytes of the header of frames. */
  constructor({ system, device, netlink, state, offload }: OpenedDevice, before = 0) {
    super(system, device, state.mtu, offload, state.up, before);
    this.#netlink = netlink;
    this.#index = state.index;
  }

  /** The interface's name as it was opened, also `name`. */
  get interfaceName(): string {
    return this.name;
  }

  /** What the kernel says of the interface now: mtu, up, queue length, counters. */
  interfaceState(): InterfaceState {
    this.#mustBeOpen();
    return this.#netlink.byIndex(this.#index);
  }

  /**
   * Gives the kernel's end an address, `10.9.0.1/24` or `fd00::1/64`, in place of the one that this link gave it before in that family.
   * @throws TunError for a wrong address, or what the kernel answered
   */
  setAddress(address: string): void {
    this.#mustBeOpen();
    const prefix = readPrefix(address);
    const before = this.#given.get(prefix.address.family);
    if (before?.address.equals(prefix.address) === true && before.bits === prefix.bits) return;
    this.#netlink.addAddress(this.#index, prefix);
    if (before !== undefined) this.#netlink.removeAddress(this.#index, before);
    this.#given.set(prefix.address.family, prefix);
  }

  /** @throws TunError when it is not within 68..65535, or the kernel does not take it (with IPv6 addresses: less than 1280) */
  setMtu(mtu: number): void {
    this.#mustBeOpen();
    checkMtu(mtu);
    this.#netlink.change(this.#index, { mtu });
    this.mtuChanged(mtu);
  }

  /** Down: addresses and connections stay, packets are lost until it is up again. */
  setUp(up: boolean): void {
    this.#mustBeOpen();
    this.#netlink.change(this.#index, { up });
    if (!up) this.carrierLost();
  }

  /**
   * Makes the kernel send what goes to `10.8.0.0/16` or `fd01::/48` into this link. The interface has to be up; when it goes down the route goes.
   * @param options.congestionControl for the kernel's TCP on this route (`cubic`, `reno`, `bbr`): a new namespace takes over the initial
   *   one's choice, and its sysctl takes only what the initial one allows to all; a route takes whatever is loaded
   * @throws TunError for a wrong prefix, or what the kernel answered
   */
  addRoute(prefix: string, options: { readonly congestionControl?: string } = {}): void {
    this.#mustBeOpen();
    if (!/^[a-z0-9_-]{1,15}$/.test(options.congestionControl ?? 'reno')) {
      throw wrongArgument(
        `wrong congestion control ${JSON.stringify(options.congestionControl)}: a name as in net.ipv4.tcp_available_congestion_control is taken`,
      );
    }
    this.#netlink.addRoute(this.#index, readPrefix(prefix), options.congestionControl);
  }

  protected override released(): void {
    this.#netlink.close();
  }

  #mustBeOpen(): void {
    if (this.closed) throw new TunError('EBADF', `${this.name} is closed`, { advice: 'open it again' });
  }
}

/**
 * Opens a TUN device: creates it, or attaches to one that is there and that nobody has open. A created one vanishes with `close()`,
 * and with the process, however it ends. In a worker, close it before `Worker.terminate()`: a descriptor is the process's, not the worker's.
 * @throws TunError whose `code` is the errno's name (EPERM, EACCES, ENOENT, EBUSY, EINVAL, ...), ERR_INVALID_ARG_VALUE for a wrong option,
 *   ENOSYS where there is no TUN, ERR_DLOPEN_FAILED without koffi; the message says what to do
 */
export function openTun(options: TunOptions = {}): TunLink {
  return openInterface('tun', options, (opened) => new TunLink(opened));
}

/** Opens a device and sets it up; `make` makes the link of it, which gets the address then. */
export function openInterface<T extends TunLink>(
  kind: DeviceKind,
  options: TunOptions,
  make: (opened: OpenedDevice) => T,
): T {
  checkOptions(options);
  const system = tunSystem();
  const netlink = new Netlink(system);
  const { offload = true } = options;
  let device: TunDevice | undefined;
  try {
    const existed = options.name !== undefined && netlink.byName(options.name) !== undefined;
    device = openDevice(system, options.name, offload, kind);
    const found = netlink.byName(device.name);
    if (found === undefined)
      throw systemError(`${kind.toUpperCase()} device ${device.name}`, EINVAL, 'it vanished while it was opened');
    configure(netlink, found.index, existed ? options : withDefaults(options));
    const link = make({ system, device, netlink, state: netlink.byIndex(found.index), offload });
    if (options.address !== undefined) link.setAddress(options.address);
    return link;
  } catch (error) {
    if (device !== undefined) system.close(device.fd);
    netlink.close();
    throw error;
  }
}

function withDefaults(options: TunOptions): TunOptions {
  return { mtu: DEFAULT_MTU, txQueueLength: DEFAULT_TX_QUEUE_LENGTH, up: true, ...options };
}

function configure(netlink: Netlink, index: number, { mtu, txQueueLength, up }: TunOptions): void {
  if (mtu === undefined && txQueueLength === undefined && up === undefined) return;
  netlink.change(index, {
    ...(mtu === undefined ? {} : { mtu }),
    ...(txQueueLength === undefined ? {} : { txQueueLength }),
    ...(up === undefined ? {} : { up }),
  });
}

const NAMES: readonly (keyof TunOptions)[] = ['name', 'address', 'mtu', 'offload', 'txQueueLength', 'up'];

function checkOptions(options: TunOptions): void {
  const wrong = wrongNames('openTun', options, NAMES);
  if (wrong !== undefined) throw wrongArgument(wrong.message);
  const { name, address, mtu, txQueueLength } = options;
  if (name !== undefined) checkName(name);
  if (address !== undefined) readPrefix(address);
  if (mtu !== undefined) checkMtu(mtu);
  if (
    txQueueLength === undefined ||
    (Number.isInteger(txQueueLength) && txQueueLength >= 1 && txQueueLength <= 1_000_000)
  )
    return;
  throw wrongArgument(`wrong txQueueLength ${txQueueLength}: 1 to 1000000 packets are taken`);
}

function checkMtu(mtu: number): void {
  if (Number.isInteger(mtu) && mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU) return;
  throw wrongArgument(`wrong mtu ${mtu}: ${SMALLEST_MTU} to ${LARGEST_MTU} bytes are taken`);
}

function readPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  throw wrongArgument(
    `wrong address ${JSON.stringify(text)}: an address with the bits of its network is taken, as 10.9.0.1/24 or fd00::1/64`,
  );
}

/**
 * Opening a TUN or TAP device: /dev/net/tun made into an interface, by ioctl (Linux Documentation/networking/tuntap.rst).
 */
import { VNET_HEADER_LENGTH } from '../wire/virtio-net.ts';
import { EACCES, EBUSY, EINVAL, ENODEV, ENOENT, EPERM, systemError, wrongArgument } from './tun-error.ts';
import type { TunSystem } from './tun-system.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from './tun-system.ts';

const TUN_PATH = '/dev/net/tun';

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;

/** What travels: IP packets, or Ethernet frames. */
export type DeviceKind = 'tun' | 'tap';
const KIND_FLAG: Readonly<Record<DeviceKind, number>> = { tun: 0x0001, tap: 0x0002 };
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

const TUN_F_CSUM = 0x01;
const TUN_F_TSO4 = 0x02;
const TUN_F_TSO6 = 0x04;
const TUN_F_TSO_ECN = 0x08;

/** Bytes of an interface name with the zero behind it (IFNAMSIZ), and of `struct ifreq`. */
const NAME_ROOM = 16;
const IFREQ_LENGTH = 40;

const DEVICE_ADVICE =
  "load the driver ('modprobe tun'); in a container, hand the device in (docker run --device /dev/net/tun)";
export const PRIVILEGE_ADVICE =
  "run as root (sudo), or in a user and network namespace ('unshare -Urn'), or name a device that root made for you ('ip tuntap add mode tun user NAME name tun0')";

export interface TunDevice {
  readonly fd: number;
  /** What the kernel called it. */
  readonly name: string;
}

/**
 * Creates the interface, or attaches to one of that name. It lives until the descriptor is closed, unless somebody made it persistent.
 * @param name undefined: the first free `tun%d` or `tap%d`
 * @param offload super-segments and partial checksums travel; otherwise the kernel cuts and completes what it hands over
 * @throws TunError EACCES, ENOENT, ENODEV (/dev/net/tun), EPERM, EBUSY, EINVAL (the interface), each with what to do
 */
export function openDevice(
  system: TunSystem,
  name: string | undefined,
  offload: boolean,
  kind: DeviceKind = 'tun',
): TunDevice {
  const fd = system.open(TUN_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const errno = system.errno();
    const missing = errno === ENOENT || errno === ENODEV;
    throw systemError(`cannot open TUN: ${TUN_PATH}`, errno, missing ? DEVICE_ADVICE : openAdvice(errno));
  }
  try {
    const actual = setInterface(system, fd, name ?? `${kind}%d`, kind);
    setOffload(system, fd, actual, offload);
    return { fd, name: actual };
  } catch (error) {
    system.close(fd);
    throw error;
  }
}

/** @throws TunError ERR_INVALID_ARG_VALUE for what the kernel does not take as an interface's name */
export function checkName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes >= 1 && bytes < NAME_ROOM && !/[\s/:\0]/.test(name) && name !== '.' && name !== '..') return;
  throw wrongArgument(
    `wrong name for a TUN device ${JSON.stringify(name)}: 1 to ${NAME_ROOM - 1} bytes without spaces, '/' and ':' are taken`,
  );
}

function openAdvice(errno: number): string | undefined {
  return errno === EACCES || errno === EPERM
    ? 'run as root (sudo), or make the device accessible (chmod 666 /dev/net/tun)'
    : undefined;
}

function setInterface(system: TunSystem, fd: number, name: string, kind: DeviceKind): string {
  const request = new Uint8Array(Math.max(IFREQ_LENGTH, 128));
  new TextEncoder().encodeInto(name, request.subarray(0, NAME_ROOM - 1));
  new DataView(request.buffer).setUint16(NAME_ROOM, KIND_FLAG[kind] | IFF_NO_PI | IFF_VNET_HDR, true);
  if (system.ioctl(fd, TUNSETIFF, system.addressOf(request)) < 0) {
    const errno = system.errno();
    throw systemError(`cannot open ${kind.toUpperCase()} device ${name}`, errno, interfaceAdvice(errno, kind));
  }
  return new TextDecoder().decode(request.subarray(0, request.indexOf(0)));
}

function interfaceAdvice(errno: number, kind: DeviceKind): string | undefined {
  if (errno === EPERM) return PRIVILEGE_ADVICE.replaceAll('tun', kind);
  if (errno === EBUSY) return 'another process has it open: end that one, or take another name';
  if (errno === EINVAL)
    return `an interface of that name is there and is no ${kind.toUpperCase()} device with one queue: take another name`;
  return undefined;
}

/**
 * The header of virtio-net stands before each packet with and without offload: one form of reading and writing, and forwarded packets
 * whose checksum the kernel has verified say so. Without offload it is ten zeros on the way out.
 */
function setOffload(system: TunSystem, fd: number, name: string, offload: boolean): void {
  const length = new Uint8Array(128);
  new DataView(length.buffer).setInt32(0, VNET_HEADER_LENGTH, true);
  if (system.ioctl(fd, TUNSETVNETHDRSZ, system.addressOf(length)) < 0) {
    throw systemError(`cannot set the packet header's length of ${name}`, system.errno());
  }
  const features = offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
  if (system.ioctl(fd, TUNSETOFFLOAD, features) < 0) {
    throw systemError(
      `cannot turn offload ${offload ? 'on' : 'off'} for ${name}`,
      system.errno(),
      'open it with { offload: false }',
    );
  }
}

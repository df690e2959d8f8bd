/** SO_BINDTODEVICE and SO_BINDTOIFINDEX: the socket sends over one interface alone, and hears what comes over it alone. */
import { deviceIndex, deviceName } from '../stack/devices.ts';
import type { Stack } from '../stack/stack.ts';
import { PROTOCOL_TCP } from '../wire/ipv4.ts';
import { EINVAL, ENETUNREACH, ENODEV } from './errno.ts';
import type { OptionValue } from './option-value.ts';
import type { Socket } from './socket.ts';

/** Linux's IFNAMSIZ, but for the zero byte. */
const LONGEST_NAME = 15;

/** SO_BINDTODEVICE: a name, as text or bytes (up to the first zero); the empty one is none. @returns 0, -ENODEV, -EINVAL (no name), or as `setDevice` */
export function setDeviceByName(socket: Socket, value: OptionValue): number {
  const index = deviceNamed(socket.stack, value);
  return index < 0 ? index : setDevice(socket, index);
}

/** The index of the interface that an option's value names; 0: it names none. @returns it, -ENODEV, or -EINVAL (no name) */
export function deviceNamed({ network }: Stack, value: OptionValue): number {
  const name = nameIn(value);
  if (name === undefined) return -EINVAL;
  return name === '' ? 0 : deviceIndex(network, name) || -ENODEV;
}

/** SO_BINDTOIFINDEX; 0: none. @returns 0, -EINVAL (negative), or as `setDevice` */
export function setDeviceByIndex(socket: Socket, value: OptionValue): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? setDevice(socket, value) : -EINVAL;
}

/** SO_BINDTODEVICE: the interface's name; empty: none, or one that is not there. */
export function getDeviceName(socket: Socket): string {
  return deviceName(socket.stack.network, getDeviceIndex(socket)) ?? '';
}

/** SO_BINDTOIFINDEX. A link-local address holds a socket to its link, too. */
export function getDeviceIndex({ settings, connection }: Socket): number {
  return settings.rare.device || (connection?.local.zone ?? 0);
}

/** A connection goes on over that interface. @returns 0, or -ENETUNREACH: there is no way to its peer over it */
function setDevice(socket: Socket, index: number): number {
  const { settings, connection } = socket;
  if (index === settings.rare.device) return 0;
  if (connection !== undefined && !connection.released) {
    const { remote, local } = connection;
    const path = socket.stack.network.pathTo(remote, local, PROTOCOL_TCP, index);
    if (path === undefined) return -ENETUNREACH;
    settings.mark(path);
    connection.path = path;
  }
  settings.rarely.device = index;
  socket.bindingChanged();
  return 0;
}

function nameIn(value: OptionValue): string | undefined {
  if (typeof value === 'string') return value.slice(0, LONGEST_NAME);
  if (!(value instanceof Uint8Array)) return undefined;
  const end = value.indexOf(0);
  return String.fromCharCode(...value.subarray(0, Math.min(end < 0 ? LONGEST_NAME : end, LONGEST_NAME)));
}

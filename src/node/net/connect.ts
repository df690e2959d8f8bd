/** How a socket of net gets its connection: from a name to addresses, and from address to address until one answers. */
import { ADDRCONFIG } from 'node:dns';
import { isIP } from 'node:net';
import {
  attemptTimeout,
  checkBoolean,
  checkFunction,
  checkHost,
  checkNumber,
  checkPort,
  checkString,
} from './checks.ts';
import { ConnectRace } from './connect-race.ts';
import { hostLookup, type LookedUp, type Lookup, type LookupOptions } from './lookup.ts';
import { blockedAddress, invalidAddress, invalidArgType, invalidFamily } from './node-errors.ts';
import type { PathHandle } from './path-handle.ts';
import type { Place } from './place.ts';
import type { Socket } from './socket.ts';
import type { StreamHandle } from './stream-handle.ts';
import { addressError } from './system-errors.ts';

/** What connecting needs of a socket. */
export interface Connector {
  readonly socket: Socket;
  readonly place: Place;
  /** The handle of the attempt under way. */
  handle(): StreamHandle;
  /** Another handle, for another attempt. */
  renew(): void;
  /** The time of silence starts anew. */
  touch(): void;
  connected(): void;
}

/** Where to, and from where. */
export interface Target {
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly localPort: number;
}

/** Options of `connect`, checked. */
interface ConnectPlan extends Target {
  readonly host: string;
  readonly givenHost: unknown;
  readonly lookup: Lookup;
  readonly lookupOptions: LookupOptions;
  /** Several addresses may be tried, after so many ms each. */
  readonly several: boolean;
  readonly attemptTimeout: number;
}

const ANY_ADDRESS: Readonly<Record<number, string>> = { 4: '0.0.0.0', 6: '::' };

/** Starts to connect. @throws TypeError, RangeError for wrong options */
export function connectSocket(connector: Connector, options: Record<string, unknown>): void {
  checkHost(options['host'] || 'localhost', 'options.host');
  const plan = checkOptions(connector.place, options);
  const { socket } = connector;
  const family = isIP(plan.host);
  if (family !== 0) {
    process.nextTick(() => {
      if (socket.connecting) attempt(connector, plan, plan.host, family);
    });
    return;
  }
  checkLookup(options['lookup']);
  socket._host = plan.host;
  if (plan.several) lookUpAll(connector, plan);
  else lookUpOne(connector, plan);
}

/** Starts to connect to a path of the machine. @throws TypeError */
export function connectPath({ socket, connected }: Connector, handle: PathHandle, path: unknown): void {
  checkString(path, 'options.path');
  socket.emit('connectionAttempt', path, undefined, undefined);
  handle.connect(path, (status) => {
    if (socket.destroyed) return;
    if (status === 0) connected();
    else socket.destroy(addressError(status, 'connect', path, undefined));
  });
}

function checkOptions(place: Place, options: Record<string, unknown>): ConnectPlan {
  const { localAddress, localPort, port, autoSelectFamily, autoSelectFamilyAttemptTimeout: timeout } = options;
  if (localAddress && isIP(localAddress as string) === 0) throw invalidAddress(localAddress);
  if (localPort) checkNumber(localPort, 'options.localPort');
  if (port !== undefined) {
    if (typeof port !== 'number' && typeof port !== 'string')
      throw invalidArgType('options.port', 'one of type number or string', port);
    checkPort(port);
  }
  if (autoSelectFamily != null) checkBoolean(autoSelectFamily, 'options.autoSelectFamily');
  const family = familyNumber(options['family']);
  const hints = (options['hints'] as number | undefined) || (family === 4 || family === 6 ? 0 : ADDRCONFIG);
  const wants = (autoSelectFamily as boolean | null | undefined) ?? place.autoSelectFamily;
  return {
    host: (options['host'] as string) || 'localhost',
    givenHost: options['host'],
    port: Number(port) | 0,
    localAddress: (localAddress as string) || undefined,
    localPort: (localPort as number) || 0,
    lookup: (options['lookup'] as Lookup | undefined) ?? hostLookup(place),
    lookupOptions: { family, hints } as LookupOptions,
    several: wants && family !== 4 && family !== 6 && !localAddress,
    attemptTimeout:
      timeout == null ? place.attemptTimeout : attemptTimeout(timeout, 'options.autoSelectFamilyAttemptTimeout'),
  };
}

function checkLookup(lookup: unknown): void {
  if (lookup != null) checkFunction(lookup, 'options.lookup');
}

function familyNumber(family: unknown): unknown {
  if (family === 'IPv4') return 4;
  return family === 'IPv6' ? 6 : family;
}

function lookUpOne(connector: Connector, plan: ConnectPlan): void {
  const { socket } = connector;
  plan.lookup(plan.host, plan.lookupOptions, (error, found, family) => {
    socket.emit('lookup', error, found, family, plan.host);
    if (!socket.connecting) return;
    const problem = error ?? addressProblem(found, family, plan);
    if (problem !== undefined) return fail(socket, problem);
    connector.touch();
    attempt(connector, plan, found as string, family as number);
  });
}

function lookUpAll(connector: Connector, plan: ConnectPlan): void {
  const { socket } = connector;
  plan.lookup(plan.host, { ...plan.lookupOptions, all: true }, (error, found) => {
    if (!socket.connecting) return;
    if (error) {
      socket.emit('lookup', error, undefined, undefined, plan.host);
      if (socket.connecting) fail(socket, error);
      return;
    }
    const list = found as LookedUp[];
    for (const { address, family } of list) {
      socket.emit('lookup', error, address, family, plan.host);
      if (!socket.connecting) return;
    }
    const addresses = interleaved(list);
    connector.touch();
    const [first] = addresses;
    if (first === undefined) {
      const problem = addressProblem(list[0]?.address, list[0]?.family, plan);
      if (problem !== undefined) fail(socket, problem);
    } else if (addresses.length === 1) {
      attempt(connector, plan, first.address, first.family);
    } else {
      new ConnectRace(connector, plan, addresses, plan.attemptTimeout).next();
    }
  });
}

/** Listeners may not be there yet. */
function fail(socket: Socket, error: Error): void {
  process.nextTick(() => socket.destroy(error));
}

function addressProblem(address: unknown, family: unknown, plan: ConnectPlan): Error | undefined {
  if (isIP(address as string) === 0) return invalidAddress(address);
  if (family !== 4 && family !== 6) return invalidFamily(family, plan.givenHost, plan.port);
  return undefined;
}

/** Each address once, the families by turns, that of the first in front. */
function interleaved(list: readonly LookedUp[]): LookedUp[] {
  const known = list.filter(
    ({ address, family }, i) =>
      isIP(address) !== 0 &&
      (family === 4 || family === 6) &&
      list.findIndex((other) => other.address === address && other.family === family) === i,
  );
  const first = known[0]?.family;
  const groups = [known.filter(({ family }) => family === first), known.filter(({ family }) => family !== first)];
  return known.flatMap((_, i) => groups.flatMap((group) => group.slice(i, i + 1)));
}

/** The one address that there is. */
function attempt(connector: Connector, target: ConnectPlan, address: string, family: number): void {
  const { socket } = connector;
  const unbound = bindFirst(connector.handle(), target, family);
  if (unbound !== undefined) {
    socket.destroy(unbound);
    return;
  }
  socket.emit('connectionAttempt', address, target.port, family);
  if (!socket.connecting) return;
  const blocked = blockedBy(socket, address, family);
  if (blocked !== undefined) {
    socket.destroy(blocked);
    return;
  }
  const status = connector.handle().connect(address, target.port, family, (outcome) => {
    if (socket.destroyed) return;
    if (outcome === 0) return connector.connected();
    const error = attemptError(outcome, target, address);
    socket.emit('connectionAttemptFailed', address, target.port, family, error);
    socket.destroy(error);
  });
  if (status < 0) socket.destroy(immediateError(connector.handle(), status, target, address));
}

/** @returns why the local address cannot be had */
export function bindFirst(
  handle: StreamHandle,
  { localAddress, localPort }: Target,
  family: number,
): Error | undefined {
  if (localAddress === undefined && localPort === 0) return undefined;
  const address = localAddress ?? (ANY_ADDRESS[family] as string);
  const status = handle.bind(address, localPort, family);
  return status < 0 ? addressError(status, 'bind', address, localPort) : undefined;
}

/** @returns that the socket's block list has the address */
export function blockedBy({ blockList }: Socket, address: string, family: number): Error | undefined {
  // Any value that is nothing to JavaScript may stand for none.
  const blocked = blockList ? blockList.check(address, family === 6 ? 'ipv6' : 'ipv4') : false;
  return blocked ? blockedAddress(address) : undefined;
}

/** The attempt was made in vain. */
export function attemptError(status: number, { port, localAddress, localPort }: Target, address: string): Error {
  if (localAddress === undefined || localPort === 0) return addressError(status, 'connect', address, port);
  const error = addressError(status, 'connect', address, port, `${localAddress}:${localPort}`);
  return Object.assign(error, { localAddress, localPort });
}

/** There was none: no route, no port. */
export function immediateError(handle: StreamHandle, status: number, { port }: Target, address: string): Error {
  const local = handle.localName();
  const details = local === undefined ? undefined : `${local.address}:${local.port}`;
  return addressError(status, 'connect', address, port, details);
}

/** One address of a dial: sockets made, bound and connected until there is a connection. */
import { SO_ERROR, SOL_SOCKET } from '../socket/constants.ts';
import { EADDRNOTAVAIL, EALREADY, EINPROGRESS, EISCONN } from '../socket/errno.ts';
import type { Socket, SocketAddress } from '../socket/socket.ts';
import { Descriptor } from './descriptor.ts';
import type { DialOptions } from './dial.ts';
import { abortError, errDeadlineExceeded, errTimeout, SyscallError } from './errors.ts';
import { familyOfDial, socketAddress } from './family.ts';
import { setUpConnection } from './keep-alive.ts';
import type { Limits } from './limits.ts';
import { checkCall, type Net, openSocket, runControl } from './net.ts';
import type { TCPAddr } from './tcp-addr.ts';
import { TCPConn } from './tcp-conn.ts';
import type { Operation } from './wait-queue.ts';

/** Go: how often a connection to itself, or a port that turned out to be taken, is tried again. */
const RETRIES = 2;

/** @throws the bare reason (as a rejection): SyscallError, DialTimeoutError, CanceledError, what `control` threw */
export async function connect(
  net: Net,
  network: string,
  remote: TCPAddr,
  options: DialOptions,
  limits: Limits,
): Promise<TCPConn> {
  const portIsOurs = options.localAddr === undefined || options.localAddr.port === 0;
  for (let retries = portIsOurs ? RETRIES : 0; ; retries--) {
    let descriptor: Descriptor;
    try {
      descriptor = await attempt(net, network, remote, options, limits);
    } catch (error) {
      // The stack chose a port and lost it to somebody else on the way.
      if (retries > 0 && error instanceof SyscallError && error.err.errno === -EADDRNOTAVAIL) continue;
      throw error;
    }
    if (retries > 0 && isSelfConnected(descriptor.socket)) {
      descriptor.close();
      continue;
    }
    setUpConnection(descriptor.socket, options);
    return new TCPConn(descriptor);
  }
}

/** RFC 9293 3.5: two opens can meet, and a port that dials itself meets its own. */
function isSelfConnected(socket: Socket): boolean {
  const local = socket.getsockname();
  const remote = socket.getpeername();
  if (typeof local === 'number' || typeof remote === 'number') return false;
  return local.port === remote.port && local.address.equals(remote.address);
}

async function attempt(
  net: Net,
  network: string,
  remote: TCPAddr,
  options: DialOptions,
  limits: Limits,
): Promise<Descriptor> {
  if (limits.signal?.aborted) throw abortError(limits.signal);
  const family = familyOfDial(network, options.localAddr, remote);
  const socket = openSocket(net, network, family);
  const descriptor = new Descriptor(socket, net.stack.clock, net.open);
  try {
    runControl(options.control, family, remote, socket);
    bindLocal(net, socket, family, options.localAddr);
    await connected(descriptor, socketAddress(net.stack.network, family, remote), limits);
    return descriptor;
  } catch (error) {
    descriptor.close();
    throw error;
  }
}

/** @throws SyscallError `bind`, AddrError */
function bindLocal(net: Net, socket: Socket, family: 4 | 6, local: TCPAddr | undefined): void {
  if (local === undefined) return;
  const at = socketAddress(net.stack.network, family, local);
  // No address and no port is what the socket has without being bound.
  if (!at.address.isUnspecified || at.port !== 0) checkCall('bind', socket.bind(at));
}

/** @throws SyscallError, DialTimeoutError, CanceledError, ClosedError (as rejections) */
function connected(descriptor: Descriptor, target: SocketAddress, limits: Limits): Promise<void> {
  const { socket, writes } = descriptor;
  const result = socket.connect(target);
  if (result === 0 || result === -EISCONN) return Promise.resolve();
  if (result !== -EINPROGRESS && result !== -EALREADY) return Promise.reject(new SyscallError('connect', -result));
  return new Promise((resolve, reject) => {
    const settle = (reason?: Error) => {
      writes.setDeadline(undefined);
      if (reason === undefined) resolve();
      else reject(reason === errDeadlineExceeded ? errTimeout : reason);
    };
    const operation: Operation = {
      attempt: () => {
        const outcome = connectOutcome(socket);
        if (outcome === undefined) return false;
        settle(outcome === 0 ? undefined : new SyscallError('connect', outcome));
        return true;
      },
      fail: settle,
    };
    writes.add(operation, limits.signal);
    writes.setDeadline(limits.deadline);
  });
}

/** 0: connected; an error number; undefined: not known yet. */
function connectOutcome(socket: Socket): number | undefined {
  const error = socket.getsockopt(SOL_SOCKET, SO_ERROR) as number;
  if (error !== 0) return error;
  return typeof socket.getpeername() === 'number' ? undefined : 0;
}

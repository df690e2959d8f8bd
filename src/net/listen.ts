/** listen: from `network` and `address` to a TCPListener, as Go's ListenConfig.Listen. */
import { shown } from '../arguments.ts';
import { SO_REUSEADDR, SOL_SOCKET } from '../socket/constants.ts';
import type { Socket } from '../socket/socket.ts';
import { Descriptor } from './descriptor.ts';
import { abortError } from './errors.ts';
import { familyOfListen, socketAddress } from './family.ts';
import { checkKeepAliveOptions, type KeepAliveOptions } from './keep-alive.ts';
import { hostOf, within } from './limits.ts';
import {
  asError,
  type Control,
  checkAddrs,
  checkCall,
  checkCommonOptions,
  checkTexts,
  type Net,
  openSocket,
  runControl,
} from './net.ts';
import { OpError } from './op-error.ts';
import { checkNetwork, preferred, resolveList, unexpectedType } from './resolve.ts';
import { TCPAddr } from './tcp-addr.ts';
import { TCPListener } from './tcp-listener.ts';
import { isUdpNetwork, UDPAddr } from './udp-addr.ts';
import { tcpAddr } from './zones.ts';

export interface ListenOptions extends KeepAliveOptions {
  /** Connections that may wait for an accept. Default: 4096. */
  readonly backlog?: number | undefined;
  readonly control?: Control | undefined;
  /** Ends the resolving of the address; the listener, once there, is not touched by it. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: readonly (keyof ListenOptions)[] = ['backlog', 'control', 'signal', 'keepAlive', 'keepAliveConfig'];
const BACKLOG = 4096;

/**
 * Listens on `address`: an empty host, 0.0.0.0 or :: is all addresses of the host, of both families (tcp4: of IPv4; tcp6: of IPv6); port 0 or none is a
 * free one.
 * Of several addresses of a name the first of IPv4 is taken.
 * @throws OpError `listen` (as a rejection): address already in use, cannot assign requested address, missing port in address, ...
 * @throws TypeError, RangeError (as rejections) for wrong options
 */
export async function listen(
  net: Net,
  network: string,
  address: string,
  options: ListenOptions = {},
): Promise<TCPListener> {
  const backlog = checkOptions(network, address, options);
  if (isUdpNetwork(network)) throw await unexpectedType(net, UDPAddr, network, address, options.signal);
  let local: TCPAddr;
  try {
    checkNetwork(network);
    if (options.signal?.aborted) throw abortError(options.signal);
    const limits = { deadline: undefined, signal: options.signal };
    const list = await within(net, limits, hostOf(address), (signal) =>
      resolveList(network, address, { resolver: net.resolver, services: net.services, signal }),
    );
    local = preferred(list, 4);
  } catch (error) {
    throw new OpError('listen', network, undefined, undefined, asError(error));
  }
  try {
    return open(net, network, local, backlog, options);
  } catch (error) {
    throw new OpError('listen', network, undefined, local, asError(error));
  }
}

/**
 * Listens on one address; undefined: on all, on a free port. As Go's ListenTCP.
 * @throws OpError `listen` (as a rejection); TypeError, RangeError (as rejections) for wrong arguments
 */
export async function listenTCP(
  net: Net,
  network: string,
  local: TCPAddr | undefined,
  options: ListenOptions = {},
): Promise<TCPListener> {
  const backlog = checkOptions(network, '', options);
  checkAddrs('listenTCP', TCPAddr, local);
  const address = local ?? new TCPAddr(undefined, 0);
  try {
    checkNetwork(network);
    if (options.signal?.aborted) throw abortError(options.signal);
  } catch (error) {
    throw new OpError('listen', network, undefined, local, asError(error));
  }
  try {
    return open(net, network, address, backlog, options);
  } catch (error) {
    throw new OpError('listen', network, undefined, address, asError(error));
  }
}

function checkOptions(network: string, address: string, options: ListenOptions): number {
  checkTexts('listen', network, address);
  checkCommonOptions('listen', options, OPTIONS);
  checkKeepAliveOptions('listen', options);
  const { backlog = BACKLOG } = options;
  if (!Number.isInteger(backlog) || backlog < 0)
    throw new RangeError(`listen: backlog must be an integer >= 0, got ${shown(backlog)}`);
  return backlog;
}

function open(net: Net, network: string, local: TCPAddr, backlog: number, options: ListenOptions): TCPListener {
  const family = familyOfListen(network, local);
  const socket = openSocket(net, network, family);
  try {
    // Go: listening again must not wait for the TIME-WAIT of earlier connections.
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    runControl(options.control, family, local, socket);
    checkCall('bind', socket.bind(socketAddress(net.stack.network, family, local)));
    checkCall('listen', socket.listen(backlog));
    return new TCPListener(
      new Descriptor(socket, net.stack.clock, net.open),
      boundAddress(net, socket),
      options,
      net.open,
    );
  } catch (error) {
    socket.close();
    throw error;
  }
}

function boundAddress(net: Net, socket: Socket): TCPAddr {
  const bound = socket.getsockname();
  if (typeof bound !== 'number') return tcpAddr(net.stack.network, bound);
  checkCall('getsockname', bound);
  return new TCPAddr(undefined, 0);
}

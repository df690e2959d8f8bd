/** createDgram: Node's dgram over a host. */
import { checkKind } from '../../arguments.ts';
import type { Host } from '../../host.ts';
import { type DgramOptions, DgramSocket, type RemoteInfo } from './socket.ts';

export interface HostDgram {
  /**
   * As dgram.createSocket: a socket of UDP over IPv4 or IPv6.
   * @param callback is told of every message
   * @throws TypeError ERR_SOCKET_BAD_TYPE
   */
  createSocket(
    options: DgramOptions | 'udp4' | 'udp6',
    callback?: (message: Buffer, sender: RemoteInfo) => void,
  ): DgramSocket;
}

/** What `node:dgram` offers, on a host: `const dgram = createDgram(host)`. Groups (multicast) are not there. */
export function createDgram(host: Host): HostDgram {
  checkKind('createDgram: the host', host, 'a host', 'dial');
  return {
    createSocket(options, callback) {
      const socket = new DgramSocket(host, typeof options === 'string' ? { type: options } : options);
      if (callback !== undefined) socket.on('message', callback);
      return socket;
    },
  };
}

/** A link over a MessagePort (of a worker, an iframe, `node:worker_threads`): every message is an IP packet. */
import { type DuplexLinkOptions, linkFromDuplex } from '../link/duplex.ts';
import type { Link } from '../link/link.ts';
import { PortDuplex, packetOf } from './port-duplex.ts';

/** What is used of a MessagePort, or of a Worker. */
export interface PacketPort {
  postMessage(message: Uint8Array | string, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close' | 'messageerror', listener: () => void): void;
  start?(): void;
  close?(): void;
}

export type MessagePortLinkOptions = DuplexLinkOptions;

/** What the other end says when its link is closed: a port itself need not tell. */
const CLOSED = 'tunstack: closed';

/**
 * A link whose other end is whatever listens at the other port: another `linkFromMessagePort`, in general. Packets are moved, not copied.
 * Messages that are no bytes are left alone. Closing the link closes the port, and the link at the other end.
 * @throws TypeError when this is no port
 * @throws RangeError when `mtu` is out of range
 */
export function linkFromMessagePort(port: PacketPort, options: MessagePortLinkOptions = {}): Link {
  if (typeof port?.postMessage !== 'function' || typeof port.addEventListener !== 'function')
    throw new TypeError('linkFromMessagePort: a MessagePort is needed, with postMessage() and addEventListener()');
  let isOpen = true;
  const duplex = new PortDuplex(
    (packet) => {
      port.postMessage(packet, [packet.buffer as ArrayBuffer]);
      // A port never says that it is full: TCP's windows bound what is under way.
      return true;
    },
    () => {
      if (!isOpen) return;
      isOpen = false;
      port.postMessage(CLOSED, []);
      port.close?.();
    },
  );
  port.addEventListener('message', ({ data }) => {
    if (!isOpen) return;
    if (data === CLOSED) return duplex.emit('close');
    const packet = packetOf(data);
    if (packet !== undefined) duplex.emit('data', packet);
  });
  port.addEventListener('close', () => duplex.emit('close'));
  const link = linkFromDuplex(duplex, { name: 'port', ...options });
  port.start?.();
  return link;
}

/** TCPAddr: one end of a TCP connection. */
import { EndAddr } from './end-addr.ts';

export class TCPAddr extends EndAddr {
  network(): string {
    return 'tcp';
  }
}

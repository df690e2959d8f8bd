/** IP_RECVERR: what the errors that are kept take of the receive buffer. How many there are was measured on Linux 6.18, where the tiers of memory are the same but for the smallest (832 bytes there, 896 here). */
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import {
  AF_INET,
  AF_INET6,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_ERRQUEUE,
  SO_RCVBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { EAGAIN } from '../../src/socket/errno.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK } from '../../src/wire/address.ts';

const FAMILIES = [
  { domain: AF_INET, level: IPPROTO_IP, option: IP_RECVERR, address: IPV4_LOOPBACK, large: 31 },
  { domain: AF_INET6, level: IPPROTO_IPV6, option: IPV6_RECVERR, address: IPV6_LOOPBACK, large: 17 },
];

describe('the queue of errors (IP_RECVERR) is charged to the receive buffer', () => {
  for (const { domain, level, option, address, large } of FAMILIES) {
    it(domain === AF_INET ? 'IPv4' : 'IPv6', async () => {
      const clock = new VirtualClock();
      const host = createHost({ clock, seed: 1, sysctl: { icmp_msgs_per_sec: 100_000, icmp_ratelimit: 0 } });
      const socket: DatagramSocket = host.socket(domain, SOCK_DGRAM);
      socket.setsockopt(level, option, 1);
      socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 20_000);

      /** How many errors about datagrams to a port that nobody has are there in the end. */
      const kept = async (size: number) => {
        for (let i = 0; i < 120; i++) {
          // The first tells of the error before.
          for (let tries = 0; tries < 2; tries++)
            if (socket.send(new Uint8Array(size), 0, { address, port: 9 }) >= 0) break;
          await clock.advance(0);
        }
      };
      const read = () => {
        let count = 0;
        while (typeof socket.recvmsg([new Uint8Array(2000)], MSG_ERRQUEUE) !== 'number') count++;
        return count;
      };
      await kept(9000);
      expect(read()).to.equal(large);
      // What was read gives its room back; small ones take less.
      await kept(0);
      expect(read()).to.equal(44);
      expect(socket.recvmsg([new Uint8Array(1)], MSG_ERRQUEUE)).to.equal(-EAGAIN);

      // Who wants none any more has the room back at once.
      await kept(9000);
      socket.setsockopt(level, option, 0);
      socket.setsockopt(level, option, 1);
      await kept(9000);
      expect(read()).to.equal(large);
      socket.close();
      expect(host.sockets()).to.deep.equal([]);
      await host.close({ timeout: 0 });
    });
  }
});

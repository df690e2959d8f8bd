/** What is no memory and no address is -EFAULT, as where a pointer leads nowhere: nothing is sent, nothing is lost, no port is taken. */
import { expect } from 'chai';
import { createHost, type Host } from '../../src/host.ts';
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM } from '../../src/socket/constants.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { EBADF, EFAULT, EINPROGRESS } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { IPV4_LOOPBACK, IPV6_LOOPBACK } from '../../src/wire/address.ts';

function givenAway(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const NO_MEMORY = [undefined, null, 5, 'text', {}, [1], new Uint16Array(2), new ArrayBuffer(2), givenAway()] as never[];
const NO_LIST = [undefined, null, 5, 'text', {}, new Uint8Array(2), new Map(), [null], [givenAway()]] as never[];
const NO_ADDRESS = [
  null,
  5,
  'text',
  {},
  { port: 1 },
  { address: '127.0.0.1', port: 1 },
  { address: null, port: 1 },
] as never[];

for (const [family, domain, address] of [
  ['IPv4', AF_INET, IPV4_LOOPBACK],
  ['IPv6', AF_INET6, IPV6_LOOPBACK],
] as const) {
  describe(`sockets, with what is no memory: ${family}`, () => {
    let clock: VirtualClock;
    let host: Host;
    const at = { address, port: 80 };

    beforeEach(() => {
      clock = new VirtualClock();
      host = createHost({ clock, seed: 1 });
    });

    afterEach(() => host.close({ timeout: 0 }));

    function refused(values: readonly never[], call: (value: never) => unknown, result = -EFAULT): void {
      for (const value of values) expect(call(value), `${call} with ${typeof value}`).to.equal(result);
    }

    it('of TCP', async () => {
      const listener: Socket = host.socket(domain, SOCK_STREAM);
      const socket: Socket = host.socket(domain, SOCK_STREAM);
      refused([undefined as never, ...NO_ADDRESS], (to) => socket.bind(to));
      refused([undefined as never, ...NO_ADDRESS], (to) => socket.connect(to));
      expect(socket.getsockname()).to.have.property('port', 0);
      listener.bind(at);
      listener.listen(1);
      expect(socket.connect(at)).to.equal(-EINPROGRESS);
      await clock.advance(1);
      const accepted = listener.accept() as Socket;
      refused(NO_MEMORY, (bytes) => socket.send(bytes));
      refused(NO_LIST, (list) => socket.sendv(list));
      expect(socket.send(new Uint8Array([1, 2, 3]))).to.equal(3);
      await clock.advance(1);
      refused(NO_MEMORY, (into) => accepted.recv(into));
      refused(NO_LIST, (list) => accepted.recvmsg(list));
      expect(accepted.recv(new Uint8Array(9))).to.equal(3);
      for (const one of [listener, socket, accepted]) one.close();
      refused(NO_MEMORY, (bytes) => socket.send(bytes), -EBADF);
      refused(NO_LIST, (list) => socket.recvmsg(list), -EBADF);
      refused(NO_ADDRESS, (to) => socket.connect(to), -EBADF);
    });

    it('of UDP', async () => {
      const socket: DatagramSocket = host.socket(domain, SOCK_DGRAM);
      refused([undefined as never, ...NO_ADDRESS], (to) => socket.bind(to));
      refused([undefined as never, ...NO_ADDRESS], (to) => socket.connect(to));
      refused(NO_ADDRESS, (to) => socket.send(new Uint8Array(1), 0, to));
      refused(NO_MEMORY, (bytes) => socket.send(bytes, 0, at));
      refused(NO_LIST, (list) => socket.sendv(list, 0, at));
      expect(socket.getsockname()).to.have.property('port', 0);
      expect(socket.bind(at)).to.equal(0);
      expect(socket.send(new Uint8Array([1, 2, 3]), 0, at)).to.equal(3);
      await clock.advance(1);
      refused(NO_MEMORY, (into) => socket.recv(into));
      refused(NO_MEMORY, (into) => socket.recvfrom(into));
      refused(NO_LIST, (list) => socket.recvmsg(list));
      expect(socket.recv(new Uint8Array(9))).to.equal(3);
      socket.close();
      refused(NO_MEMORY, (bytes) => socket.send(bytes, 0, at), -EBADF);
    });
  });
}

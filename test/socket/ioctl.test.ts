/** ioctl(2) on sockets: what tcp(7) says of SIOCINQ, SIOCOUTQ and SIOCOUTQNSD. */
import { expect } from 'chai';
import { SHUT_WR, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD } from '../../src/socket/constants.ts';
import { EBADF, EINVAL } from '../../src/socket/errno.ts';
import { connecting, established, listening, WirePeer } from '../support/wire-peer.ts';

describe('ioctl()', () => {
  it('counts the bytes to read, and none while connecting or unconnected', async () => {
    const t = await established();
    t.inject({ data: 'four' });
    expect(t.socket.ioctl(SIOCINQ)).to.equal(4);
    t.read(3);
    expect(t.socket.ioctl(SIOCINQ)).to.equal(1);
    expect(connecting().socket.ioctl(SIOCINQ)).to.equal(0);
    expect(new WirePeer().newSocket().ioctl(SIOCOUTQ)).to.equal(0);
  });

  it('counts what is not acknowledged, and what is not sent; the FIN too', async () => {
    const t = await established({ win: 1000 });
    t.write(1500);
    t.drain();
    expect(t.socket.ioctl(SIOCOUTQ)).to.equal(1500);
    expect(t.socket.ioctl(SIOCOUTQNSD)).to.equal(500);
    t.inject({ ack: 401, win: 600 });
    expect(t.socket.ioctl(SIOCOUTQ)).to.equal(1100);
    t.socket.shutdown(SHUT_WR);
    expect(t.socket.ioctl(SIOCOUTQ)).to.equal(1101);
    expect(t.socket.ioctl(SIOCOUTQNSD)).to.equal(501);
  });

  it('refuses listeners, other requests and closed sockets', async () => {
    expect(listening().listener?.ioctl(SIOCINQ)).to.equal(-EINVAL);
    const t = await established();
    expect(t.socket.ioctl(0x5413)).to.equal(-EINVAL);
    t.socket.close();
    expect(t.socket.ioctl(SIOCINQ)).to.equal(-EBADF);
  });
});

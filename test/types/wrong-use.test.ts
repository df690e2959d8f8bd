/** Wrong use that the public types refuse: the compiler is the test, an expectation that is not met does not compile. Nothing of it is run. */
import { expect } from 'chai';
import * as tunstack from '../../src/index.ts';

async function wrongUse(host: tunstack.Host, conn: tunstack.TCPConn, packets: tunstack.UDPConn): Promise<void> {
  // @ts-expect-error an option that does not exist
  tunstack.createHost({ adress: '10.9.0.2/24' });
  // @ts-expect-error a setting that does not exist
  tunstack.createHost({ sysctl: { tcp_sacks: true } });
  // @ts-expect-error a setting of another type
  host.sysctl.tcp_sack = 1;
  // @ts-expect-error an option that does not exist
  await host.dial('tcp', '10.9.0.1:80', { timeOut: 5 });
  // @ts-expect-error a number, not a text
  await host.dial('tcp', '10.9.0.1:80', { timeout: '5' });
  // @ts-expect-error no backlog of datagrams
  await host.listenPacket('udp', ':53', { backlog: 5 });
  // @ts-expect-error a text has no bytes yet
  await conn.write('text');
  // @ts-expect-error a signal is an option
  await conn.read(new Uint8Array(1), new AbortController().signal);
  // @ts-expect-error what was read may be the end
  (await conn.read(new Uint8Array(1))).toFixed();
  // @ts-expect-error whom to?
  await packets.writeTo(new Uint8Array(1));
  // @ts-expect-error a deadline is a Date, a number or null
  conn.setDeadline(undefined);
  // @ts-expect-error a route needs a destination
  host.addRoute({ via: '10.9.0.1' });
  // @ts-expect-error the local address cannot be changed
  new tunstack.TCPAddr('10.9.0.1', 80).port = 81;
  // @ts-expect-error a link is made by a function
  new tunstack.Link();
  // @ts-expect-error sockets of UDP do not listen
  host.socket(tunstack.AF_INET, tunstack.SOCK_DGRAM).listen(1);
}

describe('types', () => {
  it('refuse wrong use', () => {
    expect(wrongUse).to.be.a('function');
  });
});

import { expect } from 'chai';
import { duplex } from '../../src/node/duplex.ts';
import { connectedHosts } from '../support/pair.ts';

describe('net/tcp-conn', () => {
  it('tells what the stack knows of the connection, while it is open', async () => {
    const pair = connectedHosts({ latency: 5 });
    const { dialled, accepted } = await pair.connect();
    await pair.run(dialled.write(new Uint8Array(100)));
    await pair.run(accepted.readChunk());
    const info = dialled.tcpInfo();
    expect(info).to.include({ tcpi_state: 1, tcpi_snd_mss: 1448, tcpi_pmtu: 1500, tcpi_total_retrans: 0 });
    expect(info.tcpi_rtt).to.be.within(9_000, 12_000);
    expect(duplex(accepted).tcpInfo()).to.include({ tcpi_state: 1, tcpi_advmss: 1448 });
    dialled.close();
    expect(() => dialled.tcpInfo()).to.throw(
      /^get tcp 10\.9\.0\.1:\d+->10\.9\.0\.2:\d+: use of closed network connection$/,
    );
    expect(duplex(new Promise(() => {})).tcpInfo()).to.equal(undefined);
    await pair.close();
  });
});

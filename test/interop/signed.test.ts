import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import { kernelHasAo, type SharedKey } from './kernel-keys.ts';
import * as scenes from './signed-scenes.ts';

const SIZE = 300_000;
const run = inNamespace(scenes);
const MD5: SharedKey = { md5: 'a shared secret' };
const GUESSED: SharedKey = { md5: 'a guessed secret' };

function signs(key: SharedKey, option: 'md5' | 'ao'): void {
  for (const offload of [true, false]) {
    for (const dialler of ['kernel', 'tunstack'] as const) {
      it(`every segment, both ways; dialled by ${dialler}, ${offload ? '' : 'no '}offload`, async () => {
        const scene = await run.agrees({ offload }, dialler, key, SIZE);
        const { ours, kernels, signed, unsigned, longest, options, account } = scene;
        expect([ours.received, kernels.received]).to.deep.equal([SIZE, SIZE]);
        expect(ours.receivedHash).to.equal(kernels.sentHash);
        expect(kernels.receivedHash).to.equal(ours.sentHash);
        expect(unsigned).to.equal(0);
        expect(signed).to.be.above((2 * SIZE) / 1460);
        expect(longest).to.be.at.most(1500);
        expect(options).to.include(option);
        const refusals = ['TCPMD5NotFound', 'TCPMD5Unexpected', 'TCPMD5Failure', 'TCPAOBad', 'TCPAORequired'];
        expect(account.counters).to.not.have.any.keys(...refusals, 'InErrs', 'OutRsts');
        expect(account.kernel).to.not.have.any.keys(...refusals, 'InErrs');
      });
    }
  }
}

describeWithTun('TCP-MD5 with the kernel', () => {
  signs(MD5, 'md5');

  it('the kernel dials with another key: no connection', async () => {
    const { connected, account } = await run.differs('kernel', MD5, GUESSED);
    expect(connected).to.equal(false);
    expect(account.counters['TCPMD5Failure']).to.be.at.least(2);
    expect(account.tally.out.packets).to.equal(0);
  });

  it('the kernel dials with a key, and we have none: no connection', async () => {
    const { connected, account } = await run.differs('kernel', undefined, GUESSED);
    expect(connected).to.equal(false);
    expect(account.counters['TCPMD5Unexpected']).to.be.at.least(2);
  });

  it('the kernel dials without a key, and we have one: no connection', async () => {
    const { connected, account } = await run.differs('kernel', MD5, undefined);
    expect(connected).to.equal(false);
    expect(account.counters['TCPMD5NotFound']).to.be.at.least(2);
    expect(account.tally.out.packets).to.equal(0);
  });

  it('we dial with a key, and the kernel has none: no connection', async () => {
    const { connected, account } = await run.differs('tunstack', MD5, undefined);
    expect(connected).to.equal(false);
    expect(account.kernel['TCPMD5Unexpected']).to.be.at.least(2);
  });

  it('we dial with another key, or none: no connection', async () => {
    const other = await run.differs('tunstack', GUESSED, MD5);
    expect(other.connected).to.equal(false);
    expect(other.account.kernel['TCPMD5Failure']).to.be.at.least(2);
    const none = await run.differs('tunstack', undefined, MD5);
    expect(none.connected).to.equal(false);
    expect(none.account.kernel['TCPMD5NotFound']).to.be.at.least(2);
  });
});

if (process.platform === 'linux' && kernelHasAo()) {
  describeWithTun('TCP-AO with the kernel', () => {
    for (const algorithm of ['hmac(sha1)', 'cmac(aes128)'] as const) {
      describe(algorithm, () => signs({ ao: 'a shared secret', id: 100, algorithm }, 'ao'));
    }
  });
} else {
  describe.skip('TCP-AO with the kernel [pending: it was built without CONFIG_TCP_AO]', () => {});
}

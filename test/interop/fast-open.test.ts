import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './fast-open-scenes.ts';

const run = inNamespace(scenes);

/** Bits of tcp_fastopen. */
const CLIENT = 1;
const SERVER = 2;
const COOKIE = 8;
const SIZE = 500;

/** What a handshake looks like on the wire. */
const PLAIN = { syn: -1, synAck: -1, data: 0, acknowledged: 0 };
const UNHEARD = { syn: 0, synAck: -1, data: 0, acknowledged: 0 };
const ASKED = { syn: 0, synAck: COOKIE, data: 0, acknowledged: 0 };
const OPENED = { syn: COOKIE, synAck: -1, data: SIZE, acknowledged: SIZE };

describeWithTun('Fast Open with the kernel', () => {
  for (const dialler of ['kernel', 'tunstack'] as const) {
    const play = (client: number, server: number) =>
      dialler === 'kernel'
        ? run.asks(dialler, server, client, [SIZE, SIZE, SIZE])
        : run.asks(dialler, client, server, [SIZE, SIZE, SIZE]);

    it(`a cookie, and then data in the SYN; dialled by ${dialler}`, async () => {
      const { rounds, openings, account } = await play(CLIENT, SERVER);
      expect(openings).to.deep.equal([ASKED, OPENED, OPENED]);
      expect(rounds.map(({ first }) => first)).to.deep.equal(['EINPROGRESS', SIZE, SIZE]);
      expect(rounds.every(({ got, answer }) => got === SIZE && answer)).to.equal(true);
      const [client, server] =
        dialler === 'kernel' ? [account.kernel, account.counters] : [account.counters, account.kernel];
      expect([client['TCPFastOpenActive'], server['TCPFastOpenPassive']]).to.deep.equal([2, 2]);
    });

    it(`the server does not: asked each time, never answered; dialled by ${dialler}`, async () => {
      const { rounds, openings } = await play(CLIENT, CLIENT);
      expect(openings).to.deep.equal([UNHEARD, UNHEARD, UNHEARD]);
      expect(rounds).to.deep.equal(Array(3).fill({ first: 'EINPROGRESS', got: SIZE, answer: true }));
    });

    it(`the client does not; dialled by ${dialler}`, async () => {
      const { rounds, openings } = await play(SERVER, SERVER);
      expect(openings).to.deep.equal([PLAIN, PLAIN, PLAIN]);
      expect(rounds).to.deep.equal(Array(3).fill({ first: 'EOPNOTSUPP', got: SIZE, answer: true }));
    });
  }
});

import { expect } from 'chai';
import { POLLERR, POLLHUP } from '../../src/socket/constants.ts';
import { ECONNABORTED } from '../../src/socket/errno.ts';
import { established } from '../support/wire-peer.ts';

describe('Stack.close', () => {
  it('tells the users of the connections that it ends', async () => {
    const t = await established();
    const told: number[] = [];
    t.socket.onReady = (mask) => told.push(mask);
    t.write(100);
    t.stack.close();
    expect(t.drain().at(-1)?.flags).to.equal('RA');
    await t.advance(0);
    expect(told).to.have.lengthOf(1);
    expect((told[0] as number) & (POLLERR | POLLHUP)).to.equal(POLLERR | POLLHUP);
    expect(t.socket.recv(new Uint8Array(1))).to.equal(-ECONNABORTED);
    const { dirty, ready, timers } = t.stack.tcp;
    expect([dirty.length, ready.length, timers.size]).to.deep.equal([0, 0, 0]);
  });
});

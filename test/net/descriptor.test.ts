import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { type Closable, Descriptor } from '../../src/net/descriptor.ts';
import { AF_INET, SOCK_STREAM } from '../../src/socket/constants.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';

describe('net/descriptor', () => {
  it('is among the open ones until it is closed', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock, seed: 1 });
    const open = new Set<Closable>();
    const descriptor = new Descriptor(host.socket(AF_INET, SOCK_STREAM), clock, open);
    expect([...open]).to.deep.equal([descriptor]);
    expect(descriptor.isClosed).to.equal(false);
    expect(descriptor.close()).to.equal(0);
    expect(descriptor.close()).to.equal(0);
    expect(open.size).to.equal(0);
    expect(descriptor.isClosed).to.equal(true);
    await host.close();
  });
});

import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { describeWithTun, inNamespace } from '../support/namespace.ts';
import * as scenes from './dns-scenes.ts';

const run = inNamespace(scenes);
const missing = [
  ['dnsmasq', 'dnsmasq-base'],
  ['dig', 'bind9-dnsutils'],
].filter(([command]) => spawnSync(command as string, ['-v']).error !== undefined);
const ok = missing.length === 0;
const note = ok ? '' : ` [pending: install ${missing.map(([, name]) => name).join(', ')}]`;

describeWithTun('names from a server on the kernel', () => {
  (ok ? it : it.skip)(`have the addresses that dig finds${note}`, async () => {
    const names = ['web.lab.example', 'v6.lab.example', 'alias.lab.example', 'many.lab.example'];
    const { found, account } = await run.addresses([...names, 'nobody.lab.example', 'www']);
    for (const name of names) expect(found[name]?.ours, name).to.deep.equal(found[name]?.digs);
    expect(found['alias.lab.example']?.ours).to.deep.equal(['10.9.0.1', '2001:db8::1']);
    // What does not fit a datagram came over TCP.
    expect(found['many.lab.example']?.ours).to.have.lengthOf(150);
    expect(account.counters['ActiveOpens']).to.equal(1);
    const none = 'lookup nobody.lab.example on 10.9.0.1:53: no such host';
    expect(found['nobody.lab.example']).to.deep.equal({ ours: [none], digs: [] });
    // dig does not search.
    expect(found['www']).to.deep.equal({ ours: ['10.9.0.1', '2001:db8::1'], digs: [] });
  });

  (ok ? it : it.skip)(`have the records that dig finds${note}`, async () => {
    const { ours, digs, texts, canonical, nobody } = await run.records();
    expect(ours).to.deep.equal(digs);
    expect(ours.MX).to.deep.equal(['10 mail.lab.example.', '20 spare.lab.example.']);
    expect(ours.PTR).to.deep.equal(['printer.lab.example.']);
    expect(texts).to.deep.equal(['onetwo']);
    expect(canonical).to.equal('web.lab.example.');
    expect(nobody).to.equal('lookup nobody.lab.example on 10.9.0.1:53: no such host');
  });

  (ok ? it : it.skip)(`of both families are dialled over IPv6, or else over IPv4${note}`, async () => {
    const { found, remotes, refused, missing: nobody, left } = await run.bothFamilies();
    expect(found).to.deep.equal(['2001:db8::1', '10.9.0.1']);
    expect(remotes).to.deep.equal(['[2001:db8::1]:80', '10.9.0.1:80']);
    expect(refused).to.equal('dial tcp [2001:db8::1]:81: connect: connection refused');
    expect(nobody).to.equal('dial tcp: lookup nohost on [2001:db8::1]:53: no such host');
    expect(left).to.equal(0);
  });
});

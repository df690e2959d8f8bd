import { expect } from 'chai';
import fc from 'fast-check';
import { AddrError } from '../../src/net/errors.ts';
import { joinHostPort, splitHostPort } from '../../src/net/host-port.ts';
import { thrown } from '../support/pair.ts';

const GOOD: [address: string, host: string, port: string][] = [
  ['localhost:http', 'localhost', 'http'],
  ['localhost:80', 'localhost', '80'],
  ['localhost%lo0:80', 'localhost%lo0', '80'],
  ['[localhost%lo0]:80', 'localhost%lo0', '80'],
  ['127.0.0.1:80', '127.0.0.1', '80'],
  ['[::1]:http', '::1', 'http'],
  ['[::1%lo0]:80', '::1%lo0', '80'],
  [':http', '', 'http'],
  [':80', '', '80'],
  ['golang.org:', 'golang.org', ''],
  ['127.0.0.1:', '127.0.0.1', ''],
  ['[::1]:', '::1', ''],
  ['golang.org:https%foo', 'golang.org', 'https%foo'],
  [':', '', ''],
  ['[]:80', '', '80'],
];

const BAD: [reason: string, addresses: string[]][] = [
  [
    'missing port in address',
    [
      'golang.org',
      '127.0.0.1',
      '[::1]',
      '[fe80::1%lo0]',
      '[localhost%lo0]',
      'localhost%lo0',
      '[foo:bar]',
      '[foo:bar]baz',
      '[foo]bar:baz',
      '',
      'a',
      '[]',
      '[',
      ']',
      '[a]b:80',
      '[a]]:80',
      '[[::1]]:80',
      '[::1]80',
    ],
  ],
  [
    'too many colons in address',
    ['::1', 'fe80::1%lo0', 'fe80::1%lo0:80', '[foo]:[bar]:baz', 'a:b:c', '[a]:b:80', '1.2.3.4:80:90', '[::1]:80:90'],
  ],
  ["unexpected '[' in address", ['[foo]:[bar]baz', 'foo[bar]:baz', 'a[b:80', '[[a]:80']],
  ["unexpected ']' in address", ['foo]bar:baz', ']:80', 'a]b:80', 'a:80]']],
  ["missing ']' in address", ['[:80', '[::1']],
];

describe('net/host-port', () => {
  describe('splitHostPort', () => {
    for (const [address, host, port] of GOOD) {
      it(`takes ${address} apart`, () => {
        expect(splitHostPort(address)).to.deep.equal({ host, port });
      });
    }

    for (const [reason, addresses] of BAD) {
      for (const address of addresses) {
        it(`says ${reason} of '${address}'`, () => {
          const error = thrown(() => splitHostPort(address));
          expect(error).to.be.instanceOf(AddrError);
          expect(error).to.include({ err: reason, addr: address, timeout: false, temporary: false });
          expect(error.message).to.equal(address === '' ? reason : `address ${address}: ${reason}`);
        });
      }
    }

    it('gives parts or an AddrError for any text', () => {
      fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom('[', ']', ':', 'a', '1', '%') }), (text) => {
          try {
            const { host, port } = splitHostPort(text);
            // The only brackets are the pair around the host.
            expect([`${host}:${port}`, `[${host}]:${port}`]).to.include(text);
          } catch (error) {
            expect(error).to.be.instanceOf(AddrError);
          }
        }),
      );
    });
  });

  describe('joinHostPort', () => {
    const joined: [host: string, port: string | number, text: string][] = [
      ['localhost', 'http', 'localhost:http'],
      ['127.0.0.1', 80, '127.0.0.1:80'],
      ['::1', '80', '[::1]:80'],
      ['::1%lo0', '80', '[::1%lo0]:80'],
      ['localhost%lo0', '80', 'localhost%lo0:80'],
      ['', '80', ':80'],
      ['golang.org', 'https%foo', 'golang.org:https%foo'],
      ['golang.org', '', 'golang.org:'],
    ];
    for (const [host, port, text] of joined) {
      it(`makes ${text}`, () => {
        expect(joinHostPort(host, port)).to.equal(text);
      });
    }

    it('is undone by splitHostPort', () => {
      const part = fc.string({ unit: fc.constantFrom('a', '1', '.', '%', ':') });
      const port = fc.string({ unit: fc.constantFrom('a', '1', '%') });
      fc.assert(
        fc.property(part, port, (host, service) => {
          expect(splitHostPort(joinHostPort(host, service))).to.deep.equal({ host, port: service });
        }),
      );
    });
  });
});

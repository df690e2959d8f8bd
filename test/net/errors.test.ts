import { expect } from 'chai';
import {
  AddrError,
  abortError,
  CanceledError,
  DialTimeoutError,
  DNSError,
  Errno,
  errClosed,
  errDeadlineExceeded,
  errTimeout,
  InvalidAddrError,
  ParseError,
  SyscallError,
  UnknownNetworkError,
} from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EHOSTUNREACH,
  EINVAL,
  EMFILE,
  ENETUNREACH,
  ENOTCONN,
  EPIPE,
  ETIMEDOUT,
} from '../../src/socket/errno.ts';

const L = new TCPAddr('10.9.0.1', 40_000);
const R = new TCPAddr('10.9.0.2', 80);

const ERRNOS: [errno: number, code: string, text: string, timeout: boolean, temporary: boolean][] = [
  [ECONNREFUSED, 'ECONNREFUSED', 'connection refused', false, false],
  [ECONNRESET, 'ECONNRESET', 'connection reset by peer', false, false],
  [ECONNABORTED, 'ECONNABORTED', 'software caused connection abort', false, false],
  [EPIPE, 'EPIPE', 'broken pipe', false, false],
  [EADDRINUSE, 'EADDRINUSE', 'address already in use', false, false],
  [EADDRNOTAVAIL, 'EADDRNOTAVAIL', 'cannot assign requested address', false, false],
  [ENETUNREACH, 'ENETUNREACH', 'network is unreachable', false, false],
  [EHOSTUNREACH, 'EHOSTUNREACH', 'no route to host', false, false],
  [ETIMEDOUT, 'ETIMEDOUT', 'connection timed out', true, true],
  [ENOTCONN, 'ENOTCONN', 'transport endpoint is not connected', false, false],
  [EINVAL, 'EINVAL', 'invalid argument', false, false],
  [EMFILE, 'EMFILE', 'too many open files', false, true],
];

const TEXTS: [error: OpError, text: string][] = [
  [new OpError('dial', 'foo', undefined, undefined, new UnknownNetworkError('foo')), 'dial foo: unknown network foo'],
  [
    new OpError('dial', 'tcp', undefined, R, new SyscallError('connect', ECONNREFUSED)),
    'dial tcp 10.9.0.2:80: connect: connection refused',
  ],
  [
    new OpError('dial', 'tcp', L, R, new SyscallError('bind', EADDRINUSE)),
    'dial tcp 10.9.0.1:40000->10.9.0.2:80: bind: address already in use',
  ],
  [new OpError('dial', 'tcp', undefined, R, errTimeout), 'dial tcp 10.9.0.2:80: i/o timeout'],
  [new OpError('accept', 'tcp', undefined, R, errDeadlineExceeded), 'accept tcp 10.9.0.2:80: i/o timeout'],
  [
    new OpError('read', 'tcp', L, R, new SyscallError('read', ECONNRESET)),
    'read tcp 10.9.0.1:40000->10.9.0.2:80: read: connection reset by peer',
  ],
  [
    new OpError('write', 'tcp', L, R, new SyscallError('write', EPIPE)),
    'write tcp 10.9.0.1:40000->10.9.0.2:80: write: broken pipe',
  ],
  [
    new OpError('close', 'tcp', L, R, errClosed),
    'close tcp 10.9.0.1:40000->10.9.0.2:80: use of closed network connection',
  ],
  [
    new OpError('close', 'tcp', L, R, new SyscallError('shutdown', ENOTCONN)),
    'close tcp 10.9.0.1:40000->10.9.0.2:80: shutdown: transport endpoint is not connected',
  ],
  [new OpError('set', 'tcp', undefined, L, errClosed), 'set tcp 10.9.0.1:40000: use of closed network connection'],
  [new OpError('set', '', undefined, undefined, errClosed), 'set: use of closed network connection'],
];

describe('net/errors', () => {
  for (const [errno, code, text, timeout, temporary] of ERRNOS) {
    it(`words ${code} as Go does`, () => {
      const bare = new Errno(errno);
      const wrapped = new SyscallError('read', errno);
      expect(bare).to.include({ message: text, code, errno: -errno, timeout, temporary });
      expect(wrapped).to.include({
        message: `read: ${text}`,
        code,
        errno: -errno,
        syscall: 'read',
        timeout,
        temporary,
      });
      expect(wrapped.cause).to.be.instanceOf(Errno);
      const operation = new OpError('read', 'tcp', L, R, wrapped);
      expect(operation).to.include({ code, errno: -errno, syscall: 'read', timeout, temporary, cause: wrapped });
    });
  }

  for (const [error, text] of TEXTS) {
    it(`prints ${text}`, () => {
      expect(error.message).to.equal(text);
      expect(`${error}`).to.equal(`OpError: ${text}`);
    });
  }

  it('has two different i/o timeouts', () => {
    expect(errTimeout.message).to.equal('i/o timeout');
    expect(errDeadlineExceeded.message).to.equal('i/o timeout');
    expect(errTimeout).to.include({ timeout: true, temporary: true, code: 'ERR_DIAL_TIMEOUT' });
    expect(errDeadlineExceeded).to.include({ timeout: true, temporary: true, code: 'ERR_DEADLINE_EXCEEDED' });
  });

  it('says that closing is neither a timeout nor temporary', () => {
    expect(errClosed).to.include({
      message: 'use of closed network connection',
      timeout: false,
      temporary: false,
      code: 'ERR_CLOSED',
    });
  });

  it('calls an accept temporary that failed with a bare reset or abort, and only that', () => {
    const of = (op: string, error: Error) => new OpError(op, 'tcp', undefined, R, error).temporary;
    expect(of('accept', new Errno(ECONNRESET))).to.equal(true);
    expect(of('accept', new Errno(ECONNABORTED))).to.equal(true);
    expect(of('accept', new SyscallError('accept4', ECONNRESET))).to.equal(false);
    expect(of('read', new Errno(ECONNRESET))).to.equal(false);
    expect(of('accept', new Errno(EMFILE))).to.equal(true);
  });

  it('takes an error of anybody as the reason', () => {
    const error = new OpError('dial', 'tcp', undefined, R, new Error('not today'));
    expect(error).to.include({
      message: 'dial tcp 10.9.0.2:80: not today',
      code: '',
      timeout: false,
      temporary: false,
    });
    expect(error.errno).to.equal(undefined);
    expect(error.syscall).to.equal(undefined);
  });

  it('prints the errors of addresses', () => {
    expect(new AddrError('missing port in address', 'a').message).to.equal('address a: missing port in address');
    expect(new AddrError('missing port in address', '').message).to.equal('missing port in address');
    expect(new ParseError('CIDR address', '1/2').message).to.equal('invalid CIDR address: 1/2');
    expect(new InvalidAddrError('odd').message).to.equal('odd');
  });

  it('tells what a lookup failed of', () => {
    const silent = new DNSError('i/o timeout', 'a', { isTimeout: true });
    expect(silent).to.include({ timeout: true, temporary: true, isNotFound: false, code: 'ETIMEOUT' });
    const busy = new DNSError('server misbehaving', 'a', { server: '192.0.2.53:53', isTemporary: true });
    expect(busy).to.include({
      timeout: false,
      temporary: true,
      message: 'lookup a on 192.0.2.53:53: server misbehaving',
    });
  });

  it('makes a cancellation of an aborted signal, and a timeout of AbortSignal.timeout', async () => {
    const reason = new Error('enough');
    const canceled = abortError(AbortSignal.abort(reason));
    expect(canceled).to.be.instanceOf(CanceledError);
    expect(canceled).to.include({
      message: 'operation was canceled',
      cause: reason,
      timeout: false,
      temporary: false,
      code: 'ABORT_ERR',
    });
    const timedOut = abortError(AbortSignal.abort(new DOMException('late', 'TimeoutError')));
    expect(timedOut).to.be.instanceOf(DialTimeoutError);
    expect(timedOut).to.include({ message: 'i/o timeout', timeout: true });
  });
});

/** What test/net holds of Go's net: run with `--list gonet --tests 'net/*.test.js'`. */
const change =
  (file) =>
  (name, find, replace = '') => ({ file: `net/${file}`, name: `Go's net: ${name}`, find, replace });
const conn = change('tcp-conn');
const operations = change('operations');
const listener = change('tcp-listener');
const queue = change('wait-queue');
const dial = change('dial');
const connect = change('connect');
const listen = change('listen');
const packets = change('listen-packet');
const dialer = change('dialer');
const pipe = change('pipe');
const direction = change('pipe-direction');
const copy = change('copy');
const buffers = change('buffers');
const networks = change('ip-net');
const errors = change('errors');
const opError = change('op-error');
const keepAlive = change('keep-alive');
const resolve = change('resolve');
const ports = change('ports');
const limits = change('limits');
const family = change('family');
const self = change('conn');

export default [
  // Connections.
  conn(
    'a closed connection reads nothing, quietly',
    'this.#descriptor.isClosed ? Promise.reject(this.error(',
    'false ? Promise.reject(this.error(',
  ),
  conn('writes of lists are writes', "this.#write('writev', list", "this.#write('write', list"),
  conn(
    'a second close is no error',
    "if (this.#descriptor.isClosed)\n            throw this.error('close', errClosed);\n        this.#check('close', 'close'",
    "this.#check('close', 'close'",
  ),
  conn(
    'deadlines name both ends',
    "throw new OpError('set', 'tcp', undefined, this.#local, errClosed);\n        const at",
    "throw this.error('set', errClosed);\n        const at",
  ),
  conn(
    'copying loses what failed',
    'throw this.error(op, asError(failure.cause), failure.copied);',
    'throw failure.cause;',
  ),
  conn('copying does not count', 'asError(failure.cause), failure.copied', 'asError(failure.cause)'),
  conn('a peer that is gone came from nowhere', "typeof peer === 'number' ? descriptor.socket.peer : peer", 'peer'),
  conn('a past deadline is no refusal', 'if (queue.isExpired)\n            return errDeadlineExceeded;', ''),
  conn('lingering is reset', 'seconds < 0 ? { onoff: 0, linger: 0 }', 'seconds < 0 ? { onoff: 1, linger: 0 }'),
  operations(
    'the end of the stream is nothing',
    'if (count === 0)\n        return null;',
    'if (count === 0)\n        return 0;',
  ),
  operations('writes are of the wrong call', 'new SyscallError(this.#op, -taken)', "new SyscallError('send', -taken)"),
  queue('now is not past', 'at !== undefined && at <= this.#clock.now()', 'at !== undefined && at < this.#clock.now()'),
  queue(
    'a deadline that is past wakes nobody',
    'if (this.isExpired)\n            this.failAll(errDeadlineExceeded);\n        else\n            this.#arm();',
    'this.#arm();',
  ),
  queue(
    'an aborted call holds up the next',
    'operation.fail(abortError(signal));\n        // Those behind it were not tried while it stood before them.\n        this.ready();',
    'operation.fail(abortError(signal));',
  ),
  queue('signals are never let go', "return () => signal.removeEventListener('abort', aborted);", 'return () => {};'),
  // Listeners.
  listener('given up connections are errors', '-ECONNABORTED && accepted !== -ECONNRESET', '-ECONNRESET'),
  listener(
    'a past deadline is no refusal',
    'if (this.#descriptor.reads.isExpired)\n            return errDeadlineExceeded;',
    '',
  ),
  listen('udp is no network', 'if (isUdpNetwork(network))', 'if (false)'),
  packets('groups are for one', 'if (group)', 'if (false)'),
  packets('tcp is no network', 'if (isTcpNetwork(network))', 'if (false)'),
  packets(
    'dialUDP dials nobody',
    "if (remote === undefined)\n            throw new Error('missing address');\n        if (options.signal",
    'if (options.signal',
  ),
  // Dials.
  dial(
    'dialTCP of any network',
    'checkNetwork(network);\n    }\n    catch (error) {\n        throw failed(error);',
    '}\n    catch (error) {\n        throw failed(error);',
  ),
  dial(
    'dialTCP takes all the time there is',
    'const limits = { deadline: earliest(clock, options), signal: options.signal };',
    'const limits = { deadline: undefined, signal: options.signal };',
  ),
  dial(
    'dialTCP hears no signal',
    'const limits = { deadline: earliest(clock, options), signal: options.signal };',
    'const limits = { deadline: earliest(clock, options), signal: undefined };',
  ),
  dial('dialTCP from anywhere', '{ ...options, localAddr: local }', 'options'),
  dial(
    'a resolver of its own is not asked',
    '{ resolver, services: net.services, signal }',
    '{ resolver: net.resolver, services: net.services, signal }',
  ),
  family(
    'IPv4 over a socket of IPv6 alone',
    "network.endsWith('4') ? 4 : network.endsWith('6') ? 6 : undefined",
    "network.endsWith('4') ? 4 : undefined",
  ),
  family('tcp4 takes IPv6', 'if (ip?.family === 6)', 'if (false)'),
  family('no address is none of IPv6', 'ip === undefined || ip.equals(IPV4_ANY)', 'ip === undefined'),
  family('the local address has no say', 'local?.ip?.family === 6 || remote.ip', 'remote.ip'),
  family('a listener of all addresses is one of IPv4', 'local.isWildcard ? 6 :', 'local.isWildcard ? 4 :'),
  connect('a connection to itself is one', 'if (retries > 0 && isSelfConnected(descriptor.socket))', 'if (false)'),
  limits(
    'a literal is looked up when the dial is called off',
    'clock.defer(() => giveUp(abortError(signal)))',
    'giveUp(abortError(signal))',
  ),
  limits('a name is looked up though the time is over', 'controller.abort(errTimeout)', 'undefined'),
  limits('a host that is closed still looks up', 'open.add(whole);', ''),
  limits('no time is for good', 'isTemporary: cause.temporary, ', ''),
  dialer('fields that do not exist', "checkNames('Dialer', options, DIALER_FIELDS);", ''),
  dialer('no time of its own', "'timeout',\n    'deadline',", "'deadline',"),
  dialer('no fallback delay of its own', "'fallbackDelay',\n    'keepAlive',", "'keepAlive',"),
  dialer('no control', "const LISTEN_FIELDS = ['control', ", 'const LISTEN_FIELDS = ['),
  // Pipes.
  pipe('a past deadline is no refusal', 'if (queue.isExpired)\n            return errDeadlineExceeded;', ''),
  pipe('deadlines of a closed pipe', 'if (this.#incoming.isClosed)\n            throw new ClosedPipeError();', ''),
  pipe('the other end is not told', 'this.#outgoing.reads.ready();', ''),
  pipe('writes to nobody wait', 'this.#incoming.writes.failAll(new ClosedPipeError());', ''),
  pipe(
    'a write after the other end went waits',
    'if (this.#outgoing.isClosed)\n            return Promise.reject(new ClosedPipeError());',
    '',
  ),
  pipe(
    'a closed pipe is an OpError',
    'if (reason instanceof ClosedPipeError)\n            return new ClosedPipeError(bytesWritten);',
    '',
  ),
  direction(
    'a write is done when it has begun',
    'return this.isTaken && this.rest.length === 0;',
    'return this.isTaken;',
  ),
  direction(
    'a write of nothing needs nobody',
    'return this.isTaken && this.rest.length === 0;',
    'return this.rest.length === 0;',
  ),
  direction('reads are not counted', 'this.#total - this.rest.length)', '0)'),
  direction(
    'a failed write is still offered',
    'if (this.#direction.offer === this)\n            this.#direction.offer = undefined;',
    '',
  ),
  direction('one at a time', 'while (this.moved);', 'while (false);'),
  // Copies and lists.
  copy('what went out of the last is not counted', "copied + (typeof written === 'number' ? written : 0)", 'copied'),
  copy('a stream stays locked', 'done: () => reader.releaseLock()', 'done: () => { }'),
  copy('a sink stays locked', 'done: () => writer.releaseLock()', 'done: () => { }'),
  copy('a stream keeps the buffer', 'writer.write(bytes.slice())', 'writer.write(bytes)'),
  copy('a generator is not told', 'void Promise.resolve(iterator.return?.())', 'void Promise.resolve()'),
  copy('what cannot be called off is waited for', "signal.addEventListener('abort', aborted, { once: true });", ''),
  buffers('empty pieces stay', '.length <= count)', '.length < count)'),
  buffers('what failed stays', 'this.consume(error.bytesWritten ?? 0);', ''),
  buffers('one piece after the other', "typeof writev === 'function'", 'false'),
  // Addresses and networks.
  networks('any mask is a prefix', "digits.includes('1', ones) ?", 'false ?'),
  networks('across families', 'if (ip.family !== this.ip.family)\n            return false;', ''),
  networks('host bits stay', 'net: new IPNet(masked(ip, mask), mask)', 'net: new IPNet(ip, mask)'),
  networks('masks as long as one likes', 'ip === undefined || Number(digits) > bits', 'ip === undefined'),
  networks('a mapped network is IPv6', 'this.ip.family === 4 && bytes.length === 16 ?', 'false ?'),
  ports('names of large numbers', 'Number(digits.slice(0, -1)) < LIMIT', 'true'),
  networks('a mask of IPv4 for IPv6', 'this.bytes.length === 4 && ip.family === 6 ?', 'false ?'),
  resolve('a zone keeps :: from being all', "`${found[0]?.ip}` === '::'", "`${found[0]}` === '::'"),
  ports(
    'a port of tcp4',
    "new DNSError('unknown port', `${protocol}/${service}`",
    "new DNSError('unknown port', `${network}/${service}`",
  ),
  resolve(
    'a listener of another transport',
    "new AddrError('unexpected address type', address)",
    "new AddrError('unexpected address type', '')",
  ),
  // Errors.
  errors('ETIMEDOUT is for good', 'errno === ETIMEDOUT ||', ''),
  errors('a signal that timed out was cancelled', 'return timedOut ?', 'return false ?'),
  opError('ends without an arrow', "source === undefined ? ' ' : '->'", "' '"),
  opError('no network', "if (net !== '')", "if (net === '')"),
  keepAlive(
    'a period is the interval, too',
    'return setSeconds(socket, TCP_KEEPIDLE, idle, IDLE_SECONDS);',
    'setSeconds(socket, TCP_KEEPINTVL, idle, IDLE_SECONDS);\n    return setSeconds(socket, TCP_KEEPIDLE, idle, IDLE_SECONDS);',
  ),
  keepAlive(
    'a dial with a period probes as often',
    'applyKeepAlive(socket, { enable: true, idle: keepAlive })',
    'applyKeepAlive(socket, { enable: true, idle: keepAlive, interval: keepAlive })',
  ),
  keepAlive('rounded down', 'Math.ceil(ms / 1000)', 'Math.floor(ms / 1000)'),
  self('any signal', 'return new TypeError(`${caller}: signal', 'return undefined && new TypeError(`${caller}: signal'),
];

/** Signals that end a program: ours is a listener while the program has none, and never beside one. */
import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { beforeSignal } from '../../src/node/register/last-signal.ts';

class Program extends EventEmitter {
  readonly pid = 7;
  readonly seen: string[] = [];

  constructor() {
    super();
    beforeSignal(this, () => this.seen.push('leave'));
  }

  kill(pid: number, signal: string): void {
    this.seen.push(`${pid} ${signal} ${this.listenerCount(signal)}`);
  }
}

describe('tunstack/register: signals', () => {
  it('leave is taken, and the signal ends the program, when nobody listens', () => {
    const program = new Program();
    program.emit('SIGTERM');
    expect(program.seen).to.deep.equal(['leave', '7 SIGTERM 0']);
  });

  it('a listener of the program is alone, and decides', () => {
    const program = new Program();
    program.on('SIGINT', () => program.seen.push(`own ${program.listenerCount('SIGINT')}`));
    program.emit('SIGINT');
    expect(program.seen).to.deep.equal(['own 1']);
  });

  it('when the last one goes, ours is back', () => {
    const program = new Program();
    const [one, other] = [() => {}, () => {}];
    program.on('SIGHUP', one).on('SIGHUP', other).off('SIGHUP', one);
    expect(program.listeners('SIGHUP')).to.deep.equal([other]);
    program.off('SIGHUP', other);
    program.emit('SIGHUP');
    expect(program.seen).to.deep.equal(['leave', '7 SIGHUP 0']);
  });

  it('a listener for one time has that one, and ours the next', () => {
    const program = new Program();
    program.once('SIGINT', () => program.seen.push('once'));
    program.emit('SIGINT');
    expect(program.seen).to.deep.equal(['once']);
    program.emit('SIGINT');
    expect(program.seen).to.deep.equal(['once', 'leave', '7 SIGINT 0']);
  });
});

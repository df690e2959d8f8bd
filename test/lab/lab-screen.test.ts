import { Writable } from 'node:stream';
import { expect } from 'chai';
import { Screen } from '../../src/lab/screen.ts';

function sheet(terminal: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = [];
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      written.push(chunk.toString().replaceAll('\u001b', 'ESC'));
      done();
    },
  });
  return { written, out: Object.assign(out, terminal) };
}

describe('lab/screen', () => {
  it('writes lines, and nothing else where nothing can be taken back', () => {
    const { written, out } = sheet();
    const screen = new Screen(out);
    screen.print('one', 'two');
    screen.show(['changing']);
    screen.print('three');
    expect(written).to.deep.equal(['one\ntwo\n', 'three\n']);
    expect(screen).to.include({ color: false, isLive: false });
  });

  it('keeps the changing lines below the others', () => {
    const { written, out } = sheet({ isTTY: true, columns: 10 });
    const screen = new Screen(out);
    screen.show(['table', 'wider than ten']);
    screen.show(['table', 'wider than the terminal']);
    screen.print('line');
    screen.show([]);
    screen.print('end');
    expect(written).to.deep.equal([
      'table\nwider tha\n',
      'ESC[2AESC[Jline\ntable\nwider tha\n',
      'ESC[2AESC[J',
      'end\n',
    ]);
  });

  it('has colours on a terminal, unless told', () => {
    const before = process.env['NO_COLOR'];
    try {
      process.env['NO_COLOR'] = '';
      expect(new Screen(sheet({ isTTY: true }).out).color).to.equal(true);
      expect(new Screen(sheet({ isTTY: true }).out, false).color).to.equal(false);
      process.env['NO_COLOR'] = '1';
      expect(new Screen(sheet({ isTTY: true }).out).color).to.equal(false);
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, 'NO_COLOR');
      else process.env['NO_COLOR'] = before;
    }
  });

  it('is quiet when muted', () => {
    const { written, out } = sheet({ isTTY: true });
    const screen = new Screen(out);
    screen.mute();
    screen.print('line');
    screen.show(['table']);
    expect(written).to.deep.equal([]);
  });
});

import { expect, it } from 'vitest';
import { pinFault } from './pin.ts';

it.each(['000000', '121212', '123123', '123456', '987654', '567890', 'abcdef', '19700101', '31121999', 'qwerty', 'password1', 'asdfgh12'])('%s is too common', (pin) => {
  expect(pinFault(pin)).toBe('common');
});
it.each(['482915', 'tea at 4', 'ñandú77', '80139'.repeat(2)])('%s is taken', (pin) => {
  expect(pinFault(pin)).toBeNull();
});
it('has its bounds', () => {
  expect(pinFault('48291')).toBe('short');
  expect(pinFault('é'.repeat(33))).toBe('long');
});

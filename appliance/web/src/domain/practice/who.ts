/** Whoever practises: nobody of a box's, which gives no such number away. */
export const PRACTISER = '7fffffffffffffff';

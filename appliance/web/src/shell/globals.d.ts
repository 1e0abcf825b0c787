/** Which build this is: put in by Vite. */
declare const __VERSION__: string;

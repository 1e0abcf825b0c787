/** Draws the pages of a PDF, beside the page: one that takes long holds up nobody. */
import './pdf.sealed.ts';
import 'pdfjs-dist/legacy/build/pdf.renderer.mjs';

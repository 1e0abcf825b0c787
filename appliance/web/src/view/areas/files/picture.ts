/**
 * Photos as they are sent: drawn anew, so that nothing of where and with what they were taken goes with them, and no larger than is
 * looked at. In memory alone.
 */

import type { FileKind, Refusal } from '../../../domain/snapshot.ts';
import { fitted, judgeFile, kindOf, THUMBNAIL_MAX } from '../../../domain/transfers.ts';

/** The longest side of a photo, and of the small picture of it. */
const PHOTO_MAX = 2_048;
const THUMBNAIL_SIDE = 160;
const QUALITY = 0.85;
/** Until the small one is small enough. */
const THUMBNAIL_QUALITIES = [0.7, 0.5, 0.3, 0.1];

/** A file as it is to be sent. */
export interface Prepared {
  readonly bytes: Blob;
  readonly name: string;
  readonly kind: FileKind;
  readonly picture: Blob | null;
}

/** What of this is sent, or why nothing is. A photo that this browser cannot draw is `unreadable`: what is in it nobody has seen. */
export async function prepare(blob: Blob, name: string): Promise<Prepared | Refusal | 'unreadable'> {
  const media = judgeFile(new Uint8Array(await blob.slice(0, 16).arrayBuffer()), blob.size);
  if (typeof media === 'object') return media;
  const kind = kindOf(media);
  if (kind !== 'photo') return { bytes: blob, name, kind, picture: null };
  const drawn = await draw(blob);
  if (drawn === null) return 'unreadable';
  const bytes = await jpeg(drawn, QUALITY);
  return bytes === null ? 'unreadable' : { bytes, name: name.replace(/(\.(jpe?g|png|webp|hei[cf]))?$/i, '.jpg'), kind, picture: await thumbnail(drawn) };
}

/** What a camera shows now, as a JPEG. */
export function still(video: HTMLVideoElement): Promise<Blob | null> {
  return jpeg(drawnAt(video, video.videoWidth, video.videoHeight, PHOTO_MAX), QUALITY);
}

async function draw(blob: Blob): Promise<HTMLCanvasElement | null> {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return drawnAt(image, image.naturalWidth, image.naturalHeight, PHOTO_MAX);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function thumbnail(of: HTMLCanvasElement): Promise<Blob | null> {
  const small = drawnAt(of, of.width, of.height, THUMBNAIL_SIDE);
  for (const quality of THUMBNAIL_QUALITIES) {
    const picture = await jpeg(small, quality);
    if (picture !== null && picture.size <= THUMBNAIL_MAX) return picture;
  }
  return null;
}

function drawnAt(source: CanvasImageSource, width: number, height: number, longest: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const size = fitted(width, height, longest);
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas here');
  // A JPEG has nothing that is seen through: without this it would be black.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, size.width, size.height);
  context.drawImage(source, 0, 0, size.width, size.height);
  return canvas;
}

function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<Blob | null> {
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
}

"""What training costs: python3 speed.py --program PATH scenes --pack PACK --pool POOL [--model MODEL]. Milliseconds of one core for an
example of each kind and for a step of each kind by image, counted in processor time, so that other work on the machine hardly matters;
and how many images a second that makes. One thread; a minute."""
import argparse
import json
import os
import resource
import time

import torch

import data
import train
from muon import Muon
from wordpiece import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))


def spent():
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def each(what, count, run):
    """Prints and returns the milliseconds of `run()` for each of its `count` images."""
    start = spent()
    run()
    ms = 1000 * (spent() - start) / count
    print(f'{what:28} {ms:6.2f} ms an image, {1000 / ms:6.0f} images/s of one core', flush=True)
    return ms


def drawn_rooms(args, config, size, count):
    source = data.DrawnRooms(args.program, config['validation_seed'], size, config['questions_per_image'], count=count)
    for _ in range(count):
        source.next()
    source.child.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--program', nargs='+', required=True, help='the renderer: PATH/pawsight scenes')
    parser.add_argument('--pack', required=True)
    parser.add_argument('--pool', required=True)
    parser.add_argument('--model', default=f'{HERE}/../models/pawsight-mini')
    parser.add_argument('--config', default=f'{HERE}/config.json')
    args = parser.parse_args()
    torch.set_num_threads(1)
    config, model = json.load(open(args.config)), json.load(open(f'{args.model}/config.json'))
    size, questions, images = model['vision_config']['image_size'], config['questions_per_image'], config['batch_images']
    shares, share = config['shares'], config['drawn_share']
    total = share * each('drawn', 200, lambda: drawn_rooms(args, config, size, 200))
    photos = data.Photos(args.pool, args.pack, config['seed'], size, questions, shares)
    for kind, part in shares.items():
        photos.shares = {kind: 1}
        total += (1 - share) * part / sum(shares.values()) * each(kind, 300, lambda: [photos.next() for _ in range(300)])
    photos.shares, tokenizer = shares, Tokenizer(f'{args.model}/vocab.txt')
    examples = [photos.next() for _ in range(images)]
    make = lambda: [data.make_batch(examples, tokenizer, questions, config['asked_images']) for _ in range(10)]
    total = total / 2 + each('a batch of them', images * 10, make)
    print(f'{"all, mixed, each used twice":28} {total:6.2f} ms an image, {1000 / total:6.0f} images/s of one core')
    learner = train.Learner(model, photos.teacher.shape[-1])
    train.initialise(learner.model)
    batch = train.tensors(data.make_batch(examples, tokenizer, questions, config['asked_images']))
    keep = config['keep_patches']
    for name, looking, share in (('step, looking', True, 1), ('step, looking and asking', False, 1), (f'... at {100 * keep:.0f} % of patches', False, keep)):
        learner.backward(batch, looking, config['helper_weight'], share)
        each(name, images * 8, lambda: [learner.backward(batch, looking, config['helper_weight'], share) for _ in range(8)])
    layers = [p for n, p in learner.model.named_parameters() if 'encoder.layer' in n and p.dim() == 2]
    muon = Muon([{'params': layers}], lr=1e-9)
    each('Muon, once a step', images * 4, lambda: [muon.step() for _ in range(4)])


if __name__ == '__main__':
    main()

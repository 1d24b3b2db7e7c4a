import argparse

from callsheet.compat.lightex.dispatch import dispatch_expts
from callsheet.compat.lightex.namedconf import load_config


def main(args):
    config = load_config(config_dir=".", config_name=args.config_name, update_args=args)
    dispatch_expts(config.get_experiments(), engine=args.engine, dry_run=args.d)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-d", "--dry-run", dest="d", action="store_true")
    parser.add_argument("-c", "--config-name", required=True)
    parser.add_argument("-e", "--engine", default="process")
    parser.add_argument(
        "--image-pull-policy", choices=["Always", "IfNotPresent"], dest="er.ctr.build.image_pull_policy"
    )
    main(parser.parse_args())

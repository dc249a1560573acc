"""Asking all partitions the same question: the face that a fit knows, and partitions in this process behind it.

Whoever holds partitions has `shares` and `ask`. `linear_hinge.dask` asks those on the workers of a cluster.
"""

from concurrent.futures import ThreadPoolExecutor


class ThreadedPartitions:
    """Partitions in the memory of this process.

    Parameters
    ----------
    partitions : list of Partition
    n_threads : int
        How many of them answer at a time.

    Attributes
    ----------
    shares : list of float
        Their weights Ω_k.
    """

    def __init__(self, partitions, n_threads=1):
        self.partitions, self.n_threads = partitions, n_threads
        self.shares = [partition.share for partition in partitions]

    def ask(self, question, *arguments, places=None):
        """Return what the partitions answer, in their order.

        Parameters
        ----------
        question : str
            A method of `Partition`.
        arguments : tuple
            Its arguments, the same for all, which no partition changes.
        places : sequence of int, optional
            The partitions that are asked; by default all.
        """
        asked = self.partitions if places is None else [self.partitions[place] for place in places]
        with ThreadPoolExecutor(self.n_threads) as pool:
            yield from pool.map(lambda partition: getattr(partition, question)(*arguments), asked)


def total(answers):
    """Add up numbers or arrays, always in the same order."""
    answers = iter(answers)
    result = next(answers)
    for answer in answers:
        result = result + answer
    return result


def tell(partitions, question, *arguments, places=None):
    """Ask without a wish for the answers."""
    for _ in partitions.ask(question, *arguments, places=places):
        pass

import torch

from assay.explanation.attention import rollout


def test_a_step_that_all_look_at_is_what_the_answer_is_made_of():
    maps = torch.zeros((3, 1, 4, 4))
    maps[..., 2] = 1
    shares = rollout(maps, torch.tensor([4]))[0]
    assert shares.argmax() == 2
    assert shares[2] > 0.85
    torch.testing.assert_close(shares.sum(), torch.tensor(1.0))


def test_steps_that_look_at_themselves_share_alike_and_padding_has_nothing():
    maps = torch.eye(4).expand(2, 2, 4, 4)
    shares = rollout(maps, torch.tensor([4, 2]))
    torch.testing.assert_close(shares[0], torch.full((4,), 0.25))
    torch.testing.assert_close(shares[1], torch.tensor([0.5, 0.5, 0.0, 0.0]))

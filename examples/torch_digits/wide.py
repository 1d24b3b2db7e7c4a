from .conf import dataloader, evaluator, main, model, optimizer, train

model.width = 256
model.depth = 2
model.dropout = 0.1
optimizer.lr = 3e-3
train.max_iter = 200
